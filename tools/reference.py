#!/usr/bin/env python3
"""Writes the tables of docs/reference/configuration.md anew from the program's own declarations: reference.py [muir]"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reference" / "configuration.md"
SECTION = re.compile(r"<!-- keys: (.+?) -->\n.*?<!-- end -->\n", re.S)


def sections(text):
    """The tables by their part's name."""
    return {match.group(1): match.group(0) for match in SECTION.finditer(text)}


def declared(binary):
    return sections(subprocess.run([str(binary), "config", "--reference"], check=True, capture_output=True, text=True).stdout)


def main():
    binary = sys.argv[1] if len(sys.argv) > 1 else ROOT / "build" / "dev" / "bin" / "muir"
    tables = declared(binary)
    text = PAGE.read_text()
    missing = tables.keys() - sections(text).keys()
    if missing:
        sys.exit(f"{PAGE}: no place for {', '.join(sorted(missing))}")
    PAGE.write_text(SECTION.sub(lambda match: tables[match.group(1)], text))


if __name__ == "__main__":
    main()
