#!/usr/bin/env bash
# Runs clang-tidy with the checks of .clang-tidy over the library and the applications; any finding fails.
#   tools/lint.sh [file.cc...]        without files: all of them
# Ends with 77 where there is no clang-tidy.
set -euo pipefail
cd "$(dirname "$0")/.."

tidy=
for candidate in clang-tidy-19 clang-tidy-18 clang-tidy-17 clang-tidy-16 clang-tidy; do
  command -v $candidate >/dev/null && { tidy=$candidate; break; }
done
if [ -z "$tidy" ] || ! compgen -c clang++ >/dev/null; then
  echo "lint: left out, as there is no clang-tidy with clang++ here. On Debian 12: apt-get install clang-19 clang-tidy-19"
  exit 77
fi

# Compiled as the fuzzers are: clang reads no GCC command lines with precompiled headers.
mkdir -p build/fuzz/logs
cmake --preset fuzz >build/fuzz/logs/configure.log 2>&1 || { cat build/fuzz/logs/configure.log; exit 1; }
cmake --build build/fuzz --target wire_generated >build/fuzz/logs/build.log 2>&1 || { tail -n 60 build/fuzz/logs/build.log; exit 1; }

files=("$@")
if [ ${#files[@]} -eq 0 ]; then
  mapfile -t files < <(find src apps -name '*.cc' ! -name '*_test.cc' ! -name '*_bench.cc' | sort)
fi
echo "== $tidy over ${#files[@]} files" >&2
printf '%s\n' "${files[@]}" |
  nice xargs -n 4 -P "$(nproc)" "$tidy" -p build/fuzz --quiet --warnings-as-errors='*' 2> >(grep -v 'warnings generated\|treated as error' >&2)
