#!/usr/bin/env bash
# Fails where a file is not formatted, or breaks a rule of the house that a text search can see.
set -euo pipefail
cd "$(dirname "$0")/.."

mapfile -t sources < <(git ls-files --cached --others --exclude-standard -- '*.h' '*.cc')
clang-format --dry-run --Werror "${sources[@]}"

# complain WHERE-IT-IS-ALLOWED PATTERN WHY
failed=0
complain() {
  local found
  found=$(grep -nE "$2" "${sources[@]}" | grep -vE "^($1)" || true)
  if [ -n "$found" ]; then
    printf '%s\n  -> %s\n' "$found" "$3" >&2
    failed=1
  fi
}

complain 'controlplane/rpc/|controlplane/app/|dataplane/agent/|worker/report/|ctl/client/|ctl/|bench/|tests/' \
  '#include <grpcpp/' 'gRPC stays at the edges'
complain 'controlplane/store/|tests/' '#include <sqlite3' 'SQL has one home: controlplane/store'
complain 'controlplane/config/|tests/' '#include <yaml-cpp/' 'YAML has one home: controlplane/config'
complain 'controlplane/runtime/|tests/' '#include <curl/' 'the Docker Engine is spoken to in controlplane/runtime'
complain 'common/|controlplane/|bench/|tests/' '#include "controlplane/' 'the programs meet in proto/ and common/ alone'
complain 'common/|dataplane/|bench/|tests/' '#include "dataplane/' 'the programs meet in proto/ and common/ alone'
complain 'common/|worker/|tests/' '#include "worker/' 'the programs meet in proto/ and common/ alone'
complain 'common/|ctl/|tests/' '#include "ctl/' 'the programs meet in proto/ and common/ alone'
complain 'tests/' '#include "tests/' 'nothing outside tests/ includes tests/'

# Tests that the documentation names as witnesses: files, and cases such as `Suite.Case`.
while read -r witness; do
  case $witness in
    tests/*) [ -e "$witness" ] ;;
    *) grep -rqE "TEST(_F|_P)?\(${witness%.*}, ${witness#*.}\)" tests ;;
  esac || { echo "docs/threat-model.md names $witness, which does not exist" >&2; failed=1; }
done < <(grep -oE '`(tests/[a-z0-9_/.]+|[A-Z][A-Za-z]+\.[A-Z][A-Za-z]+)`' docs/threat-model.md | tr -d '`' | sort -u)

[ "$failed" = 0 ]
