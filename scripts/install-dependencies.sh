#!/usr/bin/env bash
# Installs the Debian packages that building and testing need, where any is missing, and says which.
set -euo pipefail

packages=(
  g++ cmake ninja-build ccache pkg-config git
  libgrpc++-dev libgrpc-dev libprotobuf-dev protobuf-compiler protobuf-compiler-grpc libc-ares-dev
  libre2-dev zlib1g-dev libabsl-dev libssl-dev
  libevent-dev libyaml-cpp-dev libsqlite3-dev nlohmann-json3-dev libcurl4-openssl-dev
  libcli11-dev libspdlog-dev libgtest-dev libgmock-dev
  clang clang-format clang-tidy libclang-rt-14-dev libhttp-parser-dev
  curl jq sqlite3 python3 python3-grpcio python3-protobuf
)

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' ||
    missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

echo "GoComet needs these Debian packages and installs them now: ${missing[*]}"
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || {
    echo "error: not root and no sudo. As root: apt-get install ${missing[*]}" >&2
    exit 1
  }
  as_root=(sudo)
fi
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -qq --no-install-recommends "${missing[@]}"
