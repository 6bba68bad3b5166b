#!/usr/bin/env bash
# Makes a Docker engine available for as long as a command runs.
#
#   scripts/docker-engine.sh run -- COMMAND [ARGUMENT…]
#   scripts/docker-engine.sh status
#
# `run` sets DOCKER_HOST for the command and passes on its exit status. It uses the engine that
# answers, at DOCKER_HOST or /var/run/docker.sock. Where none does, it starts one of its own, as
# root, from Debian's docker.io (installed where missing), and removes all of it afterwards:
# containers, processes, bridge, mounts and files. Its own engine writes no iptables rules, so it can
# run beside others: containers are reached at their addresses and published ports, but have no way
# out of the machine.
set -euo pipefail

readonly default_socket=/var/run/docker.sock
readonly start_seconds=60
readonly stop_seconds=20

directory=""   # Of our own engine; everything it writes.
engine_pid=""
bridge=""
cgroup=""      # Parent of its containers' control groups.
command_pid=""
cgroup_mounts=()

fail() {
  echo "docker-engine.sh: $*" >&2
  exit 1
}

usage() {
  echo "usage: docker-engine.sh run -- COMMAND [ARGUMENT…] | docker-engine.sh status" >&2
  exit 2
}

# answers HOST: whether an engine answers at unix:///PATH or tcp://ADDRESS.
answers() {
  command -v curl >/dev/null || fail "needs curl: run scripts/install-dependencies.sh"
  case $1 in
    unix://*) [ "$(curl -fs --max-time 5 --unix-socket "${1#unix://}" http://docker/_ping)" = OK ] ;;
    tcp://*) [ "$(curl -fs --max-time 5 "http://${1#tcp://}/_ping")" = OK ] ;;
    *) false ;;
  esac
}

# Prints the address of the engine that answers.
find_engine() {
  local host
  for host in ${DOCKER_HOST:+"$DOCKER_HOST"} "unix://$default_socket"; do
    if answers "$host"; then
      echo "$host"
      return
    fi
  done
  return 1
}

install_missing() {
  local missing=()
  command -v dockerd >/dev/null || missing+=(docker.io)
  command -v iptables >/dev/null || missing+=(iptables)
  command -v ip >/dev/null || missing+=(iproute2)
  [ ${#missing[@]} -gt 0 ] || return 0
  echo "docker-engine.sh: installs these Debian packages now: ${missing[*]}" >&2
  apt-get update -qq >&2
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    "${missing[@]}" >&2
}

# A machine without an init system may have no control groups mounted.
mount_cgroups() {
  local root=/sys/fs/cgroup controller
  [ -e $root/cgroup.controllers ] || [ -d $root/memory ] && return 0
  if mount -t cgroup2 cgroup2 $root 2>/dev/null; then
    if grep -qw memory $root/cgroup.controllers && grep -qw pids $root/cgroup.controllers; then
      cgroup_mounts=("$root")
      return 0
    fi
    umount $root
  fi
  mount -t tmpfs -o mode=755 cgroup $root || fail "cannot mount control groups at $root"
  cgroup_mounts=("$root")
  while read -r controller; do
    mkdir "$root/$controller"
    if mount -t cgroup -o "$controller" cgroup "$root/$controller" 2>/dev/null; then
      cgroup_mounts=("$root/$controller" "${cgroup_mounts[@]}")
    else
      rmdir "$root/$controller"
    fi
  done < <(awk '!/^#/ && $4 == 1 { print $1 }' /proc/cgroups)
}

# Its own bridge, with a network that no address or route of the machine touches.
make_bridge() {
  local n network
  for n in $(seq 0 255); do
    network=10.213.$n
    ! ip -4 route show match "$network.0/24" | grep -qv '^default' || continue
    [ -z "$(ip -4 route show root "$network.0/24")" ] || continue
    bridge=gocomet-$n
    if ip link add name "$bridge" type bridge 2>/dev/null; then
      ip address add "$network.1/24" dev "$bridge"
      ip link set "$bridge" up
      return
    fi
    bridge=""
  done
  fail "found no free network in 10.213.0.0/16 for the containers; remove unused bridges"
}

start_engine() {
  directory=$(mktemp -d /tmp/gocomet-docker.XXXXXX)
  trap stop_engine EXIT
  mount_cgroups
  make_bridge
  cgroup=gocomet-docker-${directory##*.}
  local name=${directory##*.} waited
  # In a session of its own: Ctrl-C reaches the command, and the engine stays until it has ended.
  setsid dockerd --data-root "$directory/data" --exec-root "$directory/exec" \
    --pidfile "$directory/pid" --host "unix://$directory/docker.sock" \
    --containerd-namespace "gocomet-$name" --containerd-plugins-namespace "gocomet-$name-plugins" \
    --cgroup-parent "/$cgroup" --bridge "$bridge" --live-restore --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false \
    >"$directory/log" 2>&1 </dev/null &
  engine_pid=$!
  for ((waited = 0; waited < start_seconds * 10; ++waited)); do
    ! answers "unix://$directory/docker.sock" || return 0
    kill -0 "$engine_pid" 2>/dev/null || break
    sleep 0.1
  done
  tail -n 20 "$directory/log" >&2
  fail "dockerd did not start; its last lines are above"
}

# Processes of our engine: the directory's random name is on their command line, or their control
# group is one of its containers'; and the engine's own children.
engine_processes() {
  local process
  for process in /proc/[0-9]*; do
    if { tr '\0' ' ' <"$process/cmdline"; cat "$process/cgroup"; } 2>/dev/null |
      grep -qF -e "$directory/" -e "/$cgroup/"; then
      echo "${process#/proc/}"
    fi
  done
  ps -o pid= --ppid "$engine_pid" 2>/dev/null || true
}

# wait_gone SECONDS PID…: whether all of them ended in time.
wait_gone() {
  local tenths=$(($1 * 10)) pid
  shift
  while ((tenths-- > 0)); do
    local left=0
    for pid in "$@"; do
      # A zombie has ended; its parent collects it when it likes.
      grep -qs '^State:[[:space:]]*[^ZX]' "/proc/$pid/status" && left=1
    done
    ((left)) || return 0
    sleep 0.1
  done
  return 1
}

remove_containers() {
  local host=unix://$directory/docker.sock containers
  containers=$(timeout 20 docker --host "$host" ps --all --quiet)
  # shellcheck disable=SC2086  # One word per container.
  [ -z "$containers" ] || timeout 60 docker --host "$host" rm --force --volumes $containers
  timeout 20 docker --host "$host" network prune --force
}

stop_engine() {
  trap '' INT TERM HUP
  set +e
  local processes mount
  if [ -n "$engine_pid" ]; then
    remove_containers >/dev/null 2>&1
    mapfile -t processes < <(engine_processes)
    kill -TERM "$engine_pid" 2>/dev/null || kill -KILL "${processes[@]}" 2>/dev/null
    # Its containers end with it, unless it was killed itself.
    if ! wait_gone "$stop_seconds" "$engine_pid" "${processes[@]}"; then
      mapfile -t processes < <(engine_processes)
      kill -KILL "$engine_pid" "${processes[@]}" 2>/dev/null
      wait_gone 5 "$engine_pid" "${processes[@]}"
    fi
    find /sys/fs/cgroup -depth -type d -path "*/$cgroup*" -exec rmdir {} + 2>/dev/null
  fi
  # The deepest first.
  awk -v root="$directory/" 'index($5, root) == 1 { print $5 }' /proc/self/mountinfo | sort -r |
    while read -r mount; do umount "$mount" 2>/dev/null || umount --lazy "$mount"; done
  [ -z "$bridge" ] || ip link delete "$bridge"
  for mount in "${cgroup_mounts[@]}"; do umount "$mount"; done
  rm -rf --one-file-system "$directory"
}

# run_command COMMAND…: its exit status; SIGTERM and SIGHUP are passed on to it. A Ctrl-C reaches it
# from the terminal as it reaches us.
run_command() {
  local status=0
  env --default-signal=INT,QUIT "$@" <&0 &
  command_pid=$!
  trap ':' INT
  trap 'kill -TERM "$command_pid" 2>/dev/null' TERM HUP
  while true; do
    status=0
    wait "$command_pid" || status=$?
    kill -0 "$command_pid" 2>/dev/null || break  # Else a signal ended the wait, not the command.
  done
  return "$status"
}

run() {
  local host
  if host=$(find_engine); then
    DOCKER_HOST=$host exec "$@"
  fi
  [ "$(id -u)" -eq 0 ] || fail "no Docker engine answers at ${DOCKER_HOST:-$default_socket}, and" \
    "only root can start one: start Docker, set DOCKER_HOST, or run this as root"
  install_missing
  if host=$(find_engine); then  # The package may have started its service.
    DOCKER_HOST=$host exec "$@"
  fi
  start_engine
  export DOCKER_HOST=unix://$directory/docker.sock
  run_command "$@"
}

status() {
  local host
  if host=$(find_engine); then
    echo "a Docker engine answers at $host"
    return
  fi
  echo "no Docker engine answers at ${DOCKER_HOST:-unix://$default_socket}"
  return 1
}

case ${1:-} in
  run)
    if [ "${2:-}" != -- ] || [ $# -lt 3 ]; then usage; fi
    shift 2
    run "$@"
    ;;
  status)
    [ $# -eq 1 ] || usage
    status
    ;;
  *) usage ;;
esac
