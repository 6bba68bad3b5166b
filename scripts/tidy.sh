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
  set -euo pipefail
  local source=$1 command key found
  eval "command=($2)"                              # CMake quotes it for a shell.
  command=("${command[@]:1:${#command[@]}-5}" -w)  # Without the compiler, -o OBJECT and -c SOURCE.
  key=$({ echo "$checks $source"; cd build-tidy && clang++ "${command[@]}" -E -C -P "../$source"; } |
    sha256sum | cut -c1-64)
  [ ! -e "$cache/$key" ] || return 0
  if ! found=$(clang-tidy --quiet -p build-tidy "$source" 2>&1); then
    grep -vE '^[0-9]+ (warning|error)s?\b.* (generated|treated as errors?)\.?$' <<<"$found" || true
    echo "in $source"
    return 1
  fi
  touch "$cache/$key"
}
export -f check
export cache checks

jq -r --arg root "$PWD/" '.[] | select(.file | startswith($root + "build") | not)
    | [(.file | ltrimstr($root)), .command] | join("\u0000") + "\u0000"' -j \
  build-tidy/compile_commands.json >"$log"

declare -A wanted
for source; do wanted[$source]=1; done
chosen=()
while IFS= read -r -d '' source && IFS= read -r -d '' command; do
  if [ $# -eq 0 ] || [ -n "${wanted[$source]:-}" ]; then chosen+=("$source" "$command"); fi
  unset "wanted[$source]"
done <"$log"
for source in "${!wanted[@]}"; do
  if [ ! -e "$source" ]; then
    echo "error: no source $source; name it as seen from the top folder, such as ctl/main.cc." >&2
    exit 2
  fi
  echo "$source is not read: no target of this build compiles it." >&2
done

# shellcheck disable=SC2016  # The inner shell expands them.
printf '%s\0' ${chosen[@]+"${chosen[@]}"} |
  xargs -0 -r -n 2 -P "$(nproc)" bash -c 'check "$1" "$2"' check
