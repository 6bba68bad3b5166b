#!/usr/bin/env bash
# Builds a container image of GoComet from nothing but its programs and the libraries that they load:
# no distribution, no shell.
#   packaging/image.sh BUILD_DIRECTORY [TAG]     TAG is gocomet:VERSION where it is not given
#
# It manages workers through the machine's engine, so it takes the engine's socket, the machine's
# network, and a state directory that has the same path inside and outside: workers mount parts of it.
#   docker run --detach --name gocomet --init --network host \
#     --volume /var/run/docker.sock:/var/run/docker.sock --volume /var/lib/gocomet:/var/lib/gocomet TAG
# Whoever can reach the engine's socket is root on the machine: so is this container.
set -euo pipefail
build=$(realpath "${1:?usage: packaging/image.sh BUILD_DIRECTORY [TAG]}")
here=$(dirname "$(realpath "$0")")
version=$("$build/bin/gocomet-controlplane" --version | awk '{ print $2 }')
tag=${2:-gocomet:$version}

context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
root=$context/root
DESTDIR=$root cmake --install "$build" --prefix /usr --strip >/dev/null
rm -rf "$root/usr/share" "$root/usr/lib"
mkdir -p "$root/tmp" "$root/var/lib/gocomet"
chmod 1777 "$root/tmp"

# The loader and every library, at the paths where they are looked for.
for program in "$root"/usr/bin/*; do
  ldd "$program" 2>/dev/null || true  # One is static.
done | grep -o '/[^ ]*' | sort -u | while read -r library; do
  install -D "$library" "$root$library"
done

cp "$here/Dockerfile" "$context/"
docker build --tag "$tag" "$context" >"$context/log" 2>&1 || { cat "$context/log" >&2; exit 1; }
echo "Built $tag ($(docker image inspect --format '{{.Size}}' "$tag" | numfmt --to=iec))."
