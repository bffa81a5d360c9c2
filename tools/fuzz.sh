#!/usr/bin/env bash
# Fuzzes every decoder of outside bytes with libFuzzer, one after the other, and prints a table (docs/fuzzing.md):
#   tools/fuzz.sh [seconds for each, 60] [target...]        targets as tools/fuzz_targets.py names them
# Ends with 1 when one of them crashed, hung or outgrew its memory, and with 77 where there is no clang.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! compgen -c clang++ >/dev/null; then
  echo "fuzz: left out, as there is no clang++ here. On Debian 12: apt-get install clang-19 libclang-rt-19-dev"
  exit 77
fi

seconds=60
if [[ ${1:-} =~ ^[0-9]+$ ]]; then
  seconds=$1
  shift
fi
known=$(tools/fuzz_targets.py | cut -d';' -f1)
targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets <<<"$known"
for target in "${targets[@]}"; do
  grep -qx -- "$target" <<<"$known" || { printf "No target is called %s. There are:\n%s\n" "$target" "$known" >&2; exit 2; }
done

out=build/fuzz
mkdir -p $out/logs $out/crashes
echo "== Building the fuzzers" >&2
cmake --preset fuzz >$out/logs/configure.log 2>&1 || { cat $out/logs/configure.log; exit 1; }
cmake --build $out --target "${targets[@]/#/fuzz_}" >$out/logs/build.log 2>&1 || { tail -n 60 $out/logs/build.log; exit 1; }

# Every run starts from the inputs that the modules' own tests hold to be valid.
echo "== Collecting valid inputs from the tests" >&2
modules=$(printf '%s\n' "${targets[@]}" | sed 's/_.*//' | sort -u)
[ -f build/dev/build.ninja ] || cmake --preset dev >$out/logs/configure.log 2>&1
# shellcheck disable=SC2086
cmake --build build/dev --target $(printf '%s_test ' $modules) >$out/logs/build.log 2>&1 || { tail -n 60 $out/logs/build.log; exit 1; }
rm -rf $out/seeds
for module in $modules; do
  MUIR_TEST_FUZZ_SEEDS=$PWD/$out/seeds build/dev/bin/"${module}_test" --gtest_filter='Fuzz*' --gtest_brief=1 >$out/logs/seeds.log 2>&1 ||
    { cat $out/logs/seeds.log; exit 1; }
done

dictionary_of() {
  case $1 in
    net_http | net_http_request | net_websocket | registry_media_type) echo http ;;
    net_url | net_router | net_query) echo url ;;
    schema_avro_container | schema_avro_datum | schema_avro_resolution | schema_avro_schema) echo avro ;;
    registry_*) echo registry ;;
    schema_json | serde_json_object | vts_json_items) echo json ;;
    vts_*) echo vts ;;
  esac
}

worst=0
table() { printf '%-28s %12s %8s %16s  %s\n' "$@"; }
table target executions per-s "edges reached" result
for target in "${targets[@]}"; do
  log=$out/logs/$target.log
  corpus=$out/corpus/$target
  mkdir -p "$corpus"
  [ -d "$out/seeds/$target" ] || { echo "$target: no test calls survive_mutations(\"$target\", ...)" >&2; exit 1; }
  dictionary=$(dictionary_of "$target")
  status=0
  nice "$out/bin/fuzz_$target" "$corpus" "$out/seeds/$target" ${dictionary:+-dict=fuzz/$dictionary.dict} \
    -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=4096 -print_final_stats=1 -verbosity=1 \
    -artifact_prefix="$out/crashes/$target-" >"$log" 2>&1 </dev/null || status=$?
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  rate=$(sed -n 's/^stat::average_exec_per_sec: *//p' "$log")
  first=$(sed -n 's/.*INITED *cov: \([0-9]*\).*/\1/p' "$log" | head -n 1)
  last=$(sed -n 's/.*cov: \([0-9]*\).*/\1/p' "$log" | tail -n 1)
  result=ok
  if [ $status -ne 0 ]; then
    worst=1
    result="$(grep -a -m 1 -oE 'ERROR: [^(]*|runtime error: .*|SUMMARY: .*' "$log" || echo "ended with $status"): see $log"
  fi
  table "$target" "${executions:--}" "${rate:--}" "${first:--} -> ${last:--}" "$result"
done
exit $worst
