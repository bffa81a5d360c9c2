#!/usr/bin/env python3
"""Compiles each case of a file of mistakes: run.py COMPILER SOURCE FLAGS...

A case is '#if MUIR_CASE == n  // sentence'; it must not compile, and the compiler's first error must hold the sentence.
Case 0 must compile.
"""
import concurrent.futures
import re
import subprocess
import sys


def compile_case(compiler, source, flags, case):
    command = [compiler, "-std=c++20", "-fsyntax-only", f"-DMUIR_CASE={case}", *flags, source]
    return subprocess.run(command, capture_output=True, text=True)


def check(compiler, source, flags, case, sentence):
    done = compile_case(compiler, source, flags, case)
    if sentence is None:
        return None if done.returncode == 0 else f"case {case} does not compile:\n{done.stderr}"
    if done.returncode == 0:
        return f"case {case} compiles, but should say: {sentence}"
    first = next((line for line in done.stderr.splitlines() if "error:" in line), "")
    return None if sentence in first else f"case {case} should say: {sentence}\nbut says: {first}"


def main():
    compiler, source, flags = sys.argv[1], sys.argv[2], sys.argv[3:]
    text = open(source).read()
    cases = [(0, None)] + [(int(n), s.strip()) for n, s in re.findall(r"MUIR_CASE ==[\\\s]*(\d+)\s*//(.*)", text)]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        failures = [f for f in pool.map(lambda c: check(compiler, source, flags, *c), cases) if f]
    print("\n".join(failures) or f"{len(cases)} cases say what they should")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
