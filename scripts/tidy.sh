#!/usr/bin/env bash
# Fails where clang-tidy finds fault with a source (see .clang-tidy).
#   scripts/tidy.sh [SOURCE…]      all sources by default
# What passed once is not read again until its text, a header of it or the checks change; that is
# remembered in ~/.cache/gocomet-tidy.
set -euo pipefail
cd "$(dirname "$0")/.."

cache=${XDG_CACHE_HOME:-$HOME/.cache}/gocomet-tidy
mkdir -p "$cache"
find "$cache" -type f -mtime +30 -delete

# Without precompiled headers, so that a source that forgets an include is told.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { cmake --preset tidy && cmake --build build-tidy --target gocomet_proto_sources; } >"$log" 2>&1; then
  cat "$log"
  exit 1
fi

checks=$({ clang-tidy --version; cat .clang-tidy; } | sha256sum)

# check SOURCE COMPILE-COMMAND
check() {
  local source=$1 flags key
  flags=$(sed -E 's/^.*\bc\+\+ //; s/ -o [^ ]+//; s/ -c [^ ]+$//; s/-W[^ ]+//g' <<<"$2")
  # shellcheck disable=SC2086  # The flags are words.
  key=$({ echo "$checks $source"; cd build-tidy && clang++ $flags -E -C -P "../$source"; } | sha256sum | cut -c1-64)
  [ ! -e "$cache/$key" ] || return 0
  clang-tidy --quiet -p build-tidy "$source" 2>/dev/null || { echo "in $source" >&2; return 1; }
  touch "$cache/$key"
}
export -f check
export cache checks

jq -r --arg root "$PWD/" '.[] | select(.file | startswith($root + "build") | not)
    | [(.file | ltrimstr($root)), .command] | join("\u0000") + "\u0000"' -j \
  build-tidy/compile_commands.json |
  if [ $# -gt 0 ]; then
    printf '%s\n' "$@" >"$log"
    while IFS= read -r -d '' source && IFS= read -r -d '' command; do
      ! grep -qxF "$source" "$log" || printf '%s\0%s\0' "$source" "$command"
    done
  else
    cat
  fi |
  xargs -0 -r -n 2 -P "$(nproc)" bash -c 'check "$1" "$2"' check
