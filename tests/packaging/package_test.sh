#!/usr/bin/env bash
# Installs the Debian package on this machine's own root, below an overlay that is thrown away, boots a
# real systemd there in a container, and uses the package as its user would: package_lifecycle.sh.
#   package_test.sh BUILD_DIRECTORY
# Takes root. 77, which CTest calls skipped, where it is not.
set -euo pipefail
build=$(realpath "$1")
here=$(dirname "$(realpath "$0")")

if [ "$(id -u)" -ne 0 ]; then
  echo "Skipped: only root can boot the container in which the package is installed."
  exit 77
fi
if [ "${2:-}" != in-namespace ]; then
  exec unshare --mount --propagation private "$0" "$build" in-namespace
fi

# All mounts are this namespace's, and end with it.
space=$(mktemp -d /tmp/gocomet-package.XXXXXX)
trap 'umount --recursive --lazy "$space"; rmdir "$space"' EXIT
mount -t tmpfs none "$space"
mkdir "$space/upper" "$space/work" "$space/root"
mkdir -p /run/systemd/nspawn
mount -t tmpfs none /run/systemd/nspawn
mount -t overlay overlay -o "lowerdir=/,upperdir=$space/upper,workdir=$space/work" "$space/root"

(cd "$build" && cpack -G DEB -B "$space/package" >"$space/cpack.log" 2>&1) || { cat "$space/cpack.log"; exit 1; }
root=$space/root
install -D -t "$root/gocomet-test" "$space"/package/*.deb "$here/package_lifecycle.sh"
cat >"$root/etc/systemd/system/gocomet-test.service" <<'UNIT'
[Unit]
Requires=basic.target
After=basic.target
SuccessAction=poweroff-force
FailureAction=poweroff-force
[Service]
Type=oneshot
ExecStart=/bin/bash /gocomet-test/package_lifecycle.sh
StandardOutput=append:/gocomet-test/output
StandardError=append:/gocomet-test/output
TimeoutStartSec=150
UNIT
status=0
timeout --kill-after 10 200 systemd-nspawn --quiet --directory "$root" --register=no --keep-unit \
  --private-network --boot systemd.unit=gocomet-test.service </dev/null >"$space/console" 2>&1 || status=$?
cat "$root/gocomet-test/output" || cat "$space/console"
[ -e "$root/gocomet-test/passed" ] || { echo "error: the package did not pass; its container ended with $status"; exit 1; }
