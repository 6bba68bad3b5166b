#!/usr/bin/env bash
# Installs the Debian packages that are missing, and says which.
#   scripts/install-dependencies.sh [build|all]     what building and running needs, or (by default)
#                                                   what the tests and the tools need as well
set -euo pipefail

packages=(
  g++ cmake ninja-build ccache pkg-config git
  libgrpc++-dev libgrpc-dev libprotobuf-dev protobuf-compiler protobuf-compiler-grpc libc-ares-dev
  libre2-dev zlib1g-dev libabsl-dev libssl-dev
  libevent-dev libyaml-cpp-dev libsqlite3-dev nlohmann-json3-dev libcurl4-openssl-dev
  libcli11-dev libspdlog-dev libsystemd-dev libseccomp-dev
  curl jq sqlite3 help2man dpkg-dev
)
case ${1:-all} in
  build) ;;
  all)
    packages+=(
      libgtest-dev libgmock-dev libhttp-parser-dev
      clang clang-format clang-tidy libclang-rt-14-dev
      openssl python3 python3-grpcio python3-protobuf python3-jsonschema python3-yaml
      man-db systemd-container
    ) ;;
  *) echo "usage: scripts/install-dependencies.sh [build|all]" >&2; exit 2 ;;
esac

for tool in dpkg-query apt-get; do
  command -v "$tool" >/dev/null || {
    echo "error: there is no $tool; GoComet is built on Debian 12, with its packages: ${packages[*]}" >&2
    exit 1
  }
done

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' ||
    missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || {
    echo "error: these Debian packages are missing: ${missing[*]}
Installing them takes root, and there is no sudo. Run this, then the same command again:
  su -c 'scripts/install-dependencies.sh ${1:-all}'" >&2
    exit 1
  }
  as_root=(sudo)
fi

echo "GoComet needs these Debian packages and installs them now (a minute or two):"
printf "  %s\n" "${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
started=$SECONDS
if ! { "${as_root[@]}" apt-get update -qq &&
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "${missing[@]}"; } >"$log" 2>&1; then
  cat "$log" >&2
  echo "error: apt-get could not install them; its words are above. Where it names the network or a" \
    "package that is not found, look at /etc/apt/sources.list*; then run this again." >&2
  exit 1
fi
echo "Installed in $((SECONDS - started)) s."
