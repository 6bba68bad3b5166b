#!/usr/bin/env bash
# Runs each fuzzer for so long, one after the other, from the corpus that is kept.
#   scripts/fuzz.sh SECONDS [request_head|response_head|chunked_body|http_parser…]
# An input that breaks a law is left in build-fuzz/NAME.found and ends the run. Put it into
# tests/fuzz/corpus/NAME under a name that says what it is: the ordinary tests replay that.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! [[ ${1:-} =~ ^[1-9][0-9]*$ ]]; then
  echo "usage: scripts/fuzz.sh SECONDS [NAME…]" >&2
  exit 2
fi
seconds=$1
shift
names=("$@")
[ ${#names[@]} -gt 0 ] || names=(request_head response_head chunked_body http_parser)

log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { cmake --preset fuzz && cmake --build build-fuzz --target fuzzers; } >"$log" 2>&1; then
  cat "$log"
  exit 1
fi

for name in "${names[@]}"; do
  corpus=tests/fuzz/corpus/$name
  [ -d "$corpus" ] || { echo "fuzz.sh: no fuzzer has the name $name" >&2; exit 2; }
  # What it finds new goes to the first directory, which is not kept.
  work=build-fuzz/$name.corpus
  mkdir -p "$work"
  if ! build-fuzz/bin/"${name}_fuzzer" -max_total_time="$seconds" -max_len=4096 \
    -dict=tests/fuzz/http.dict -timeout=10 -print_final_stats=1 -verbosity=0 \
    -artifact_prefix="build-fuzz/$name.found-" "$work" "$corpus" >"$log" 2>&1; then
    tail -n 40 "$log"
    # A log may be all that is left of a run: it says the input, too.
    for found in build-fuzz/"$name".found-*; do
      [ -f "$found" ] && echo "$found, in base64:" && base64 -w 0 "$found" && echo
    done
    echo "fuzz.sh: $name breaks a law; see above and build-fuzz/$name.found-*" >&2
    exit 1
  fi
  runs=$(sed -n "s/^stat::number_of_executed_units: *//p" "$log")
  echo "$name: nothing found in $runs inputs and $seconds s"
done
