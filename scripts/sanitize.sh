#!/usr/bin/env bash
# Builds the data plane and what it stands on with sanitizers, and runs their tests.
#   scripts/sanitize.sh asan|tsan [CTest arguments…]      asan: address and undefined behaviour
# Tests that speak gRPC are not among them: Debian's gRPC is built without the thread sanitizer, which
# then takes what passes through it for races.
set -euo pipefail
cd "$(dirname "$0")/.."

case ${1:-} in
  asan | tsan) preset=$1 ;;
  *) echo "usage: scripts/sanitize.sh asan|tsan [CTest arguments…]" >&2; exit 2 ;;
esac
shift

tests=(base_test http_test probe_test corpus_test dataplane_values_test dataplane_shard_test
  dataplane_balance_test dataplane_director_test dataplane_handover_test dataplane_observe_test
  dataplane_observed_shard_test)

log=$(mktemp)
trap 'rm -f "$log"' EXIT
cmake --preset "$preset" >"$log" 2>&1 || { cat "$log"; exit 1; }
cmake --build --preset "$preset" --target "${tests[@]}"

export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:check_initialization_order=1
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
ctest --test-dir "build-$preset" --output-on-failure --no-tests=error \
  -R "^($(IFS='|'; echo "${tests[*]}"))\\." "$@"
