#!/usr/bin/env bash
# Builds with sanitizers and runs the tests that need neither whole systems nor a Docker engine.
#   scripts/sanitize.sh asan|tsan [CTest arguments…]      asan: address and undefined behaviour
set -euo pipefail
cd "$(dirname "$0")/.."

case ${1:-} in
  asan | tsan) preset=$1 ;;
  *) echo "usage: scripts/sanitize.sh asan|tsan [CTest arguments…]" >&2; exit 2 ;;
esac
shift

log=$(mktemp)
trap 'rm -f "$log"' EXIT
cmake --preset "$preset" >"$log" 2>&1 || { cat "$log"; exit 1; }
cmake --build --preset "$preset"

export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:check_initialization_order=1
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
ctest --test-dir "build-$preset" --output-on-failure --label-exclude 'end-to-end|docker' "$@"
