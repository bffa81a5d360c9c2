#!/usr/bin/env bash
# Brings every C++ file into the form of .clang-format; with --check only says which are not, and fails.
set -euo pipefail
cd "$(dirname "$0")/.."
mode=-i
[ "${1:-}" != --check ] || mode='--dry-run --Werror'
find src apps testing tests bench examples cmake \( -name '*.h' -o -name '*.cc' -o -name '*.inc' \) -print0 |
  xargs -0 -n 40 -P 2 clang-format $mode
