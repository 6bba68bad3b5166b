#!/usr/bin/env bash
# Builds everything and runs every test: what `make test` does.
#   scripts/test.sh [CTest arguments…]
# GOCOMET_REQUIRE_DOCKER=1 makes a missing Docker engine a failure instead of a skip.
# GOCOMET_TIDY=product lets clang-tidy read every source but the tests'; without it, those of the last
# commit and those changed since, as the first reading of them all takes a quarter of an hour.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/check-style.sh

log=$(mktemp)
trap 'rm -f "$log"' EXIT
cmake --preset release -DGOCOMET_TESTS=ON >"$log" 2>&1 || { cat "$log"; exit 1; }
cmake --build build

case ${GOCOMET_TIDY:-changed} in
  product) mapfile -t to_read < <(git ls-files -- '*.cc' ':!tests') ;;
  *) mapfile -t to_read < <({ git diff --name-only --diff-filter=d HEAD~1 -- '*.cc' 2>/dev/null || true
    git ls-files --others --exclude-standard -- '*.cc'; } | sort -u) ;;
esac
[ ${#to_read[@]} -eq 0 ] || scripts/tidy.sh "${to_read[@]}"

docker_note=""
if ! docker version >/dev/null 2>&1; then
  if [ "${GOCOMET_REQUIRE_DOCKER:-0}" = 1 ]; then
    echo "error: no Docker engine answers, and GOCOMET_REQUIRE_DOCKER=1 asks for one." >&2
    exit 1
  fi
  docker_note="Skipped: the tests with a Docker engine, since none answers. \
To run them: scripts/docker-engine.sh run -- make test"
fi

status=0
ctest --test-dir build --output-on-failure "$@" || status=$?
[ -z "$docker_note" ] || printf '\n%s\n' "$docker_note"
exit $status
