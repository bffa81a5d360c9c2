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

# Compiled as the fuzzers are: clang reads no GCC command lines with precompiled headers. All files are read in the groups
# that can be compiled together (tools/unity_groups.py), a quarter as many runs: most of the time goes into shared headers.
build=build/fuzz
[ $# -gt 0 ] || build=build/lint
mkdir -p $build/logs
cmake --preset fuzz -B $build -DMUIR_UNITY=$([ $# -gt 0 ] && echo OFF || echo ON) >$build/logs/configure.log 2>&1 ||
  { cat $build/logs/configure.log; exit 1; }
cmake --build $build --target wire_generated >$build/logs/build.log 2>&1 || { tail -n 60 $build/logs/build.log; exit 1; }

checks=
files=("$@")
if [ $# -eq 0 ]; then
  checks=-bugprone-suspicious-include  # a group is nothing but that
  mapfile -t files < <(python3 -c 'import json
for unit in json.load(open("build/lint/compile_commands.json")): print(unit["file"])' |
    grep -E "^$PWD/(build/lint/)?(src|apps)/")
  # A group that is left out must not look like one without findings.
  sources=$(find src apps -name '*.cc' ! -name '*_test.cc' ! -name '*_bench.cc' | sed "s|^|$PWD/|" | sort)
  read=$(for unit in "${files[@]}"; do [[ $unit == *.cc ]] && echo "$unit" || sed -n 's/^#include "\(.*\)"$/\1/p' "$unit"; done | sort)
  missed=$(comm -23 <(echo "$sources") <(echo "$read"))
  [ -z "$missed" ] || { printf 'lint: not compiled with preset fuzz, so not read:\n%s\n' "$missed" >&2; exit 1; }
  echo "== $tidy over $(wc -l <<<"$sources") files in ${#files[@]} groups" >&2
fi
printf '%s\n' "${files[@]}" | nice xargs -n 1 -P "$(nproc)" "$tidy" -p $build --quiet --checks="$checks" \
  --warnings-as-errors='*' 2> >(grep -v 'warnings generated\|treated as error' >&2)
