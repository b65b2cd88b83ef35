#!/usr/bin/env python3
"""Manual pages of signet, one a command, made of `signet --experimental-dump-help`.

    signet --experimental-dump-help | docs/manual/manual.py DIRECTORY

Only words of the commands themselves are in the pages. The directory is made; its pages are replaced.
"""
import json
import os
import sys


def escaped(text):
    """Text as roff takes it: no control line at a line's start, no escape in it."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line for line in text.split("\n"))


def flag(name):
    return ("-" if name["kind"] in ("short", "longWithSingleDash") else "--") + name["name"]


def synopsis(argument):
    names = argument.get("names") or []
    value = argument.get("valueName", "value")
    preferred = argument.get("preferredName") or (names[0] if names else None)
    if argument["kind"] == "positional":
        text = "\\fI" + escaped(value) + "\\fR"
    else:
        text = "\\fB" + escaped(flag(preferred)) + "\\fR"
        if argument["kind"] == "option":
            text += " \\fI" + escaped(value) + "\\fR"
    if argument.get("isRepeating"):
        text += " ..."
    return "[" + text + "]" if argument.get("isOptional") else text


def paragraph_lines(text):
    """Indented lines, such as examples, stay as they are."""
    lines, raw = [], False
    for line in text.strip().split("\n"):
        if not line.strip():
            if raw:
                lines.append(".fi")
                raw = False
            lines.append(".PP")
            continue
        indented = line.startswith(" ")
        if indented != raw:
            lines.append(".nf" if indented else ".fi")
            raw = indented
        lines.append(escaped(line if indented else line.strip()))
    return lines + ([".fi"] if raw else [])


def page(command, path, subcommands, version):
    name = "-".join(path)
    shown = [a for a in command.get("arguments", []) if a.get("shouldDisplay", True)]
    lines = ['.\\" Made of the program\'s own help.', '.TH "%s" 1 "" "signet %s" "Signet"' % (name.upper(), version)]
    lines += [".SH NAME", escaped(name) + " \\- " + escaped(command.get("abstract", "").rstrip("."))]
    lines += [".SH SYNOPSIS", "\\fB" + escaped(" ".join(path)) + "\\fR"]
    lines += [synopsis(a) for a in shown]
    if subcommands:
        lines.append("\\fIsubcommand\\fR ...")
    if command.get("discussion"):
        lines += [".SH DESCRIPTION"] + paragraph_lines(command["discussion"])
    if shown:
        lines.append(".SH OPTIONS")
        for argument in shown:
            names = [flag(n) for n in argument.get("names") or []] or [argument.get("valueName", "value")]
            head = ", ".join("\\fB" + escaped(n) + "\\fR" for n in names)
            if argument["kind"] == "option":
                head += " \\fI" + escaped(argument.get("valueName", "value")) + "\\fR"
            lines += [".TP", head]
            lines += [escaped(line.strip()) for line in (argument.get("abstract") or "").split("\n") if line.strip()]
            # The instance's default is the directory of whoever makes the pages.
            if argument.get("defaultValue") and "--instance" not in names:
                lines.append("Default: " + escaped(argument["defaultValue"]) + ".")
    if subcommands:
        lines.append(".SH SUBCOMMANDS")
        for child in subcommands:
            lines += [".TP", "\\fB" + escaped("-".join(path + [child["commandName"]])) + "\\fR(1)"]
            lines.append(escaped(child.get("abstract", "")))
    if len(path) > 1:
        lines += [".SH SEE ALSO", "\\fB" + escaped("-".join(path[:-1])) + "\\fR(1)"]
    return "\n".join(line for line in lines if line) + "\n"


def pages(command, path, version):
    subcommands = [c for c in command.get("subcommands", []) if c["commandName"] != "help"]
    yield "-".join(path) + ".1", page(command, path, subcommands, version)
    for child in subcommands:
        yield from pages(child, path + [child["commandName"]], version)


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    version = sys.argv[2] if len(sys.argv) == 3 else ""
    command = json.load(sys.stdin)["command"]
    os.makedirs(sys.argv[1], exist_ok=True)
    for name, text in pages(command, [command["commandName"]], version):
        with open(os.path.join(sys.argv[1], name), "w", encoding="utf-8") as file:
            file.write(text)


if __name__ == "__main__":
    main()
