#!/usr/bin/env bash
# Generates Python modules for gocomet.v1 into a directory, with Debian's packages
# protobuf-compiler and protobuf-compiler-grpc.
#     docs/examples/python-stubs.sh DIRECTORY
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: $0 DIRECTORY" >&2; exit 2; }

proto=$(cd "$(dirname "$0")/../../proto" && pwd)
plugin=$(command -v grpc_python_plugin) || {
  echo "error: there is no grpc_python_plugin: apt-get install protobuf-compiler-grpc" >&2
  exit 1
}
mkdir -p "$1"
protoc -I "$proto" --python_out="$1" --grpc_python_out="$1" \
  --plugin=protoc-gen-grpc_python="$plugin" "$proto"/gocomet/v1/*.proto
