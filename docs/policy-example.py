#!/usr/bin/env python3
"""A policy program for Signet: see policy.md. One question on standard input, one answer on standard output."""
import datetime
import json
import sys

question = json.load(sys.stdin)
certificate = question["certificate"]
answer = {"verdict": "issue"}

# Web servers only below our own domain.
names = certificate["subjectAlternativeNames"]
foreign = [name for name in names if name.startswith("dns:") and not name.endswith(".example.test")]
if question["template"]["name"] == "WebServer" and foreign:
    answer = {"verdict": "deny", "text": "Not our domain: " + ", ".join(foreign)}

# Short RSA keys wait for somebody to look at them.
elif question["publicKey"]["algorithm"] == "rsa" and question["publicKey"]["bits"] < 3072:
    answer = {"verdict": "pend"}

# Contractors get ninety days, whatever the template says.
elif "contractors" in question["groups"]:
    begin = datetime.datetime.fromisoformat(certificate["notBefore"].replace("Z", "+00:00"))
    end = begin + datetime.timedelta(days=90)
    answer["restrict"] = {"notAfter": end.strftime("%Y-%m-%dT%H:%M:%SZ")}

json.dump(answer, sys.stdout)
