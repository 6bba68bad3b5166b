#!/usr/bin/env bash
# Within the container of package_test.sh, as root: install, use, change, replace, kill, remove, purge.
set -euo pipefail
package=$(echo /gocomet-test/*.deb)
hello=http://127.0.0.1:5050/api/v1/hello

# check WORDS COMMAND…: within 20 s the command succeeds.
check() {
  local words=$1 tries
  shift
  for ((tries = 0; tries < 200; ++tries)); do
    if "$@" >/gocomet-test/last 2>&1; then
      echo "ok: $words"
      return
    fi
    sleep 0.1
  done
  echo "FAILED: $words: $*"
  cat /gocomet-test/last
  systemctl status --no-pager --lines 30 gocomet || true
  exit 1
}
exits() { local wanted=$1 status=0; shift; "$@" || status=$?; [ "$status" -eq "$wanted" ]; }
answers() { curl -fs --max-time 5 --retry 0 "$hello"; }
ready_workers() { [ "$(gocometctl get workers -o json | grep -c '"READY"\|WORKER_STATE_READY')" -eq "$1" ]; }
reload_failed() { gocometctl events | grep ReloadFailed; }
main_pid() { systemctl show --property MainPID --value gocomet; }
main_pid_is_not() { local pid; pid=$(main_pid); [ "$pid" -gt 1 ] && [ "$pid" -ne "$1" ]; }
worker_pids() { pidof gocomet-worker | tr ' ' '\n' | sort; }
nothing_runs() { ! pidof gocomet-controlplane gocomet-balancer gocomet-worker; }
no_traces() { [ ! -e /var/lib/gocomet ] && [ ! -e /etc/gocomet ] && ! getent passwd gocomet; }

# Requests one after the other, until `stop_load`, which fails where one of them did. The demo worker's
# own 500s are dialled to none.
start_load() {
  rm -f /gocomet-test/stop /gocomet-test/failed
  : >/gocomet-test/answers
  while [ ! -e /gocomet-test/stop ]; do
    if answers >/dev/null; then echo >>/gocomet-test/answers; else echo >>/gocomet-test/failed; fi
  done &
  load=$!
}
stop_load() {
  touch /gocomet-test/stop
  wait "$load"
  [ -s /gocomet-test/answers ] && [ ! -e /gocomet-test/failed ]
}

ip link set lo up 2>/dev/null || true

dpkg --install "$package" >/gocomet-test/dpkg
check "the unit is active" systemctl is-active gocomet
check "and enabled" systemctl is-enabled gocomet
check "it runs as a user of its own" sh -c '[ "$(stat -c %U /proc/$(systemctl show --property MainPID --value gocomet))" = gocomet ]'
check "three workers are ready" ready_workers 3
check "root may change things" gocometctl scale worker 2
check "two workers are ready" ready_workers 2
check "others may look" runuser -u nobody -- gocometctl status
check "and not change" exits 9 runuser -u nobody -- gocometctl scale worker 3
check "the manual has its pages" man --where gocomet-controlplane gocomet-balancer gocomet-worker

sed -i 's/^worker: .*/worker: 4/; s/^failure: .*/failure: 0/; s/^avg-delay: .*/avg-delay: 5/' /etc/gocomet/config.yaml
check "a changed config is taken up" systemctl reload gocomet
check "four workers are ready" ready_workers 4
check "a client is answered" answers

before=$(main_pid) workers=$(worker_pids)
start_load
dpkg --install "$package" >/gocomet-test/dpkg
check "another version takes the control plane's place" main_pid_is_not "$before"
check "and takes over what runs" ready_workers 4
check "which went on running" [ "$workers" = "$(worker_pids)" ]
check "with no request failed" stop_load
check "and the config kept" grep -q '^worker: 4' /etc/gocomet/config.yaml

before=$(main_pid)
start_load
kill -KILL "$before"
check "a killed control plane is started again" main_pid_is_not "$before"
check "and takes over, too" [ "$workers" = "$(worker_pids)" ]
check "with four workers" ready_workers 4
check "and no request failed" stop_load

echo "worker: many" >/etc/gocomet/config.yaml
check "a bad config is looked at" systemctl reload gocomet
check "refused, with an event that says why" reload_failed
check "and the workers are as they were" ready_workers 4

dpkg --remove gocomet >/gocomet-test/dpkg 2>&1
check "removed, nothing runs" nothing_runs
check "and the config and the statistics are kept" test -e /etc/gocomet/config.yaml -a -e /var/lib/gocomet/worker-stats.db
dpkg --purge gocomet >/gocomet-test/dpkg 2>&1
check "purged, nothing is left" no_traces
touch /gocomet-test/passed
