#!/usr/bin/env python3
"""Multiplies an instance's database: N issued certificates, some revoked, and failed requests.

    make-database.py INSTANCE [--issued 1000000] [--revoked 100000] [--failed 100000] [--seed 1]

The instance must not be in use and must have issued at least one certificate; the newest is the pattern. Its serial number is
replaced, so that the copies have rows, hashes, intents and audit entries as if they had been issued (the signatures on the
copies are not theirs). The audit chain goes on without a break: `signet audit verify` accepts the result.
"""
import argparse
import hashlib
import json
import random
import sqlite3
import struct
import time

BATCH = 20_000


class Chain:
    """The audit chain (CertificateAuthority/Audit/AuditChain.swift)."""

    def __init__(self, database):
        row = database.execute("SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1").fetchone()
        self.sequence, self.hash = row if row else (0, bytes(32))

    def entry(self, event, when, who, details):
        self.sequence += 1
        parts = [self.hash, struct.pack(">qqi", self.sequence, when, event)]
        texts = [who]
        for key in sorted(details):
            texts += [key, details[key]]
        for text in texts:
            data = text.encode()
            parts += [struct.pack(">I", len(data)), data]
        previous, self.hash = self.hash, hashlib.sha256(b"".join(parts)).digest()
        text = json.dumps(details, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return (self.sequence, event, when, who, text, previous, self.hash)


def columns(database, table):
    return [row[1] for row in database.execute(f"PRAGMA table_info({table})")]


def insertion(table, names):
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"


def to_be_signed(der):
    """Where the TBSCertificate lies in a certificate: its intent has the hash of it."""
    def element(start):
        length, content = der[start + 1], start + 2
        if length & 0x80:
            count = length & 0x7F
            length, content = int.from_bytes(der[content:content + count], "big"), content + count
        return content, content + length

    start = element(0)[0]
    return slice(start, element(start)[1])


def without_indices(database):
    """Drops the indices that a statement can make again, and gives those statements: to sort all rows once at the end
    takes a tenth of the time of finding a place for each."""
    made = database.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN "
        "('request', 'certificate', 'intent', 'audit')").fetchall()
    for index in made:
        database.execute(f"DROP INDEX {index['name']}")
    return [index["sql"] for index in made]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("instance")
    parser.add_argument("--issued", type=int, default=1_000_000)
    parser.add_argument("--revoked", type=int, default=100_000)
    parser.add_argument("--failed", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.revoked > options.issued:
        parser.error("more revoked than issued")
    generator = random.Random(options.seed)
    database = sqlite3.connect(f"{options.instance}/signet.sqlite", isolation_level=None)
    database.row_factory = sqlite3.Row
    database.execute("PRAGMA cache_size = -400000")
    database.execute("PRAGMA synchronous = OFF")
    database.execute("PRAGMA temp_store = MEMORY")
    pattern = database.execute(
        "SELECT c.* FROM certificate c JOIN request r USING (request_id) WHERE length(r.raw_request) > 0 "
        "ORDER BY c.request_id DESC LIMIT 1").fetchone()
    if pattern is None:
        parser.error("the instance has issued no certificate yet")
    request = database.execute("SELECT * FROM request WHERE request_id = ?", (pattern["request_id"],)).fetchone()
    old_serial = bytes.fromhex(pattern["serial_number"])
    der = pattern["certificate_der"]
    place = der.index(old_serial)
    signed = to_be_signed(der)
    names = {table: columns(database, table) for table in ("request", "certificate", "intent")}
    names["intent"].remove("intent_id")
    audit_insertion = insertion("audit", ["sequence", "event", "happened_when", "who", "details", "previous_hash", "hash"])
    chain = Chain(database)
    number = database.execute("SELECT max(request_id) FROM request").fetchone()[0]
    start = request["submitted_when"]
    revoked = set(generator.sample(range(options.issued), options.revoked))
    total = options.issued + options.failed
    kinds = [True] * options.issued + [False] * options.failed
    generator.shuffle(kinds)
    issued = 0
    began = time.monotonic()
    indices = without_indices(database)
    for first in range(0, total, BATCH):
        rows = {"request": [], "certificate": [], "intent": [], "audit": []}
        for is_issued in kinds[first:first + BATCH]:
            number += 1
            when = start + number
            who = f"EXAMPLE\\user{generator.randrange(50_000)}"
            row = dict(request)
            row.update(
                request_id=number, requester_name=who, caller_name=who, subject=f"CN=host{number}.example.test",
                submitted_when=when, resolved_when=when, owner=None)
            details = {
                "Request ID": str(number), "Requester": who, "Subject": row["subject"],
                "Template": row["template_name"] or "", "Disposition": "8"}
            rows["audit"].append(chain.entry(790, when, who, details))
            if not is_issued:
                row.update(
                    disposition=30, status_code=0x8009000D,
                    disposition_message="Error Constructing or Publishing Certificate")
                rows["request"].append([row[name] for name in names["request"]])
                rows["audit"].append(chain.entry(10004, when, who, details | {"Disposition": "30"}))
                continue
            is_revoked = issued in revoked
            issued += 1
            serial = old_serial[:2] + generator.randbytes(len(old_serial) - 6) + struct.pack(">I", number)
            text = serial.hex().upper()
            copy = der[:place] + serial + der[place + len(serial):]
            row["disposition"] = 21 if is_revoked else 20
            rows["request"].append([row[name] for name in names["request"]])
            certificate = dict(pattern)
            certificate.update(
                request_id=number, serial_number=text, certificate_der=copy,
                sha1_thumbprint=hashlib.sha1(copy).digest(), sha256_thumbprint=hashlib.sha256(copy).digest(),
                subject=row["subject"], common_name=row["subject"][3:], requester_name=who,
                subject_key_identifier=generator.randbytes(20),
                not_after=pattern["not_after"] - generator.randrange(700) * 86_400_000 // 2)
            if is_revoked:
                certificate.update(
                    revocation_reason=generator.choice([0, 1, 4, 5]), revoked_when=when, revocation_effective_when=when)
            rows["certificate"].append([certificate[name] for name in names["certificate"]])
            intent = dict.fromkeys(names["intent"])
            intent.update(
                kind="certificate", request_id=number, number=text, tbs_sha256=hashlib.sha256(copy[signed]).digest(),
                ca_key_index=pattern["ca_key_index"], created_when=when, outcome="completed", closed_when=when)
            rows["intent"].append([intent[name] for name in names["intent"]])
            details |= {"Disposition": "20", "Serial Number": text}
            rows["audit"].append(chain.entry(791, when, who, details))
            if is_revoked:
                rows["audit"].append(chain.entry(774, when, who, {"Serial Number": text, "Reason": "0"}))
        database.execute("BEGIN IMMEDIATE")
        for table in ("request", "certificate", "intent"):
            database.executemany(insertion(table, names[table]), rows[table])
        database.executemany(audit_insertion, rows["audit"])
        database.execute("COMMIT")
        done = min(first + BATCH, total)
        print(f"\r{done} of {total} requests, {done / (time.monotonic() - began):.0f}/s", end="", flush=True)
    print()
    for statement in indices:
        database.execute(statement)
        print(f"\r{time.monotonic() - began:.0f} s: {' '.join(statement.split()[:4])}", flush=True)
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


main()
