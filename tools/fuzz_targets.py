#!/usr/bin/env python3
"""Lists the fuzz entry points that headers declare: `int fuzz_x(BytesView ...);`.

usage: fuzz_targets.py [ROOT]     prints one line each: target;module;header;qualified function

A target is called <module>_<x>. The build makes one libFuzzer program of each (fuzz/CMakeLists.txt), and
tools/tidy.py asks that a test mutates valid inputs of each under the same name.
"""
import pathlib
import re
import sys

ENTRY = re.compile(r"^int fuzz_(\w+)\(BytesView \w+\);", re.M)


def namespace_at(text, position):
    """The namespaces that are open there. Our headers open and close them at the start of a line."""
    opened = []
    for found in re.finditer(r"^(?:namespace ([\w:]+) \{$|\}  // namespace ([\w:]+)$)", text[:position], re.M):
        if found.group(1):
            opened.append(found.group(1))
        else:
            opened.pop()
    return "::".join(opened)


def module_of(path):
    """src/net/internal/x.h: net; apps/vts/x.h: vts."""
    return path.split("/")[1]


def entries(texts):
    """(target, module, header as it is included, qualified function) of each, from {path: text}."""
    for path, text in sorted(texts.items()):
        if not path.endswith(".h") or not path.startswith(("src/", "apps/")):
            continue
        for found in ENTRY.finditer(text):
            module = module_of(path)
            function = f"{namespace_at(text, found.start())}::fuzz_{found.group(1)}"
            yield f"{module}_{found.group(1)}", module, path.removeprefix("src/"), function


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[1])
    headers = [p for folder in ("src", "apps") for p in (root / folder).rglob("*.h")]
    for entry in entries({str(p.relative_to(root)): p.read_text() for p in headers}):
        print(";".join(entry))


if __name__ == "__main__":
    main()
