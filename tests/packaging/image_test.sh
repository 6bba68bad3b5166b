#!/usr/bin/env bash
# GoComet's own image, on a real engine: it starts workers beside itself, balances, counts, is stopped
# and leaves none.
#   image_test.sh BUILD_DIRECTORY
# 77, which CTest calls skipped, where no engine answers; GOCOMET_REQUIRE_DOCKER=1 makes that a failure.
set -euo pipefail
build=$(realpath "$1")
here=$(dirname "$(realpath "$0")")

if ! docker version >/dev/null 2>&1; then
  echo "No Docker engine answers."
  [ "${GOCOMET_REQUIRE_DOCKER:-0}" = 1 ] && exit 1
  exit 77
fi

name=gocomet-image-test-$$
tag=gocomet-image-test:$$
base=$((20000 + $$ % 20000 / 10 * 10))
space=$(mktemp -d /tmp/gocomet-image.XXXXXX)
finish() {
  docker rm --force "$name" >/dev/null 2>&1 || true
  docker image rm --force "$tag" >/dev/null 2>&1 || true
  rm -rf "$space"
}
trap finish EXIT

# check WORDS COMMAND…: within 30 s the command succeeds.
check() {
  local words=$1 tries
  shift
  for ((tries = 0; tries < 300; ++tries)); do
    if "$@" >"$space/last" 2>&1; then
      echo "ok: $words"
      return
    fi
    sleep 0.1
  done
  echo "FAILED: $words: $*"
  cat "$space/last"
  docker logs "$name" || true
  exit 1
}
ctl() { docker exec "$name" /usr/bin/gocometctl --server "127.0.0.1:$((base + 6))" "$@"; }
ready_workers() { [ "$(ctl get workers -o json | grep -c 'READY')" -eq "$1" ]; }
# Of its cluster: their state directory is its own.
workers_beside_it() {
  local id count=0
  for id in $(docker ps --all --quiet --filter label=gocomet.cluster); do
    ! docker inspect "$id" | grep -qF "$space/state/" || count=$((count + 1))
  done
  [ "$count" -eq "$1" ]
}
answers() { curl -fs --max-time 5 "http://127.0.0.1:$base/api/v1/hello"; }

"$here/../../packaging/image.sh" "$build" "$tag"
cat >"$space/config.yaml" <<CONFIG
worker: 2
pool: 1
avg-delay: 5
failure: 0
load-balancer-port: $base
worker-port: $((base + 1))
runtime: docker
stats-dir: $space/state/worker-stats.db
state-dir: $space/state
control-plane: {grpc: "127.0.0.1:$((base + 6))", http: "127.0.0.1:$((base + 7))"}
CONFIG
mkdir "$space/state"
socket=${DOCKER_HOST:-unix:///var/run/docker.sock}
docker run --detach --name "$name" --init --network host \
  --volume "${socket#unix://}:/var/run/docker.sock" --volume "$space/state:$space/state" \
  --volume "$space/config.yaml:/etc/gocomet/config.yaml:ro" "$tag" >/dev/null

check "two workers are ready" ready_workers 2
check "they are containers beside it" workers_beside_it 2
check "a client is answered" answers
check "a change is taken" ctl scale worker 3
check "three workers are ready" ready_workers 3
docker stop --time 30 "$name" >/dev/null
check "it ended as asked" sh -c "[ \"\$(docker inspect --format '{{.State.ExitCode}}' $name)\" = 0 ]"
check "and its workers are gone" workers_beside_it 0
