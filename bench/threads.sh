#!/usr/bin/env bash
# Measures how throughput grows with the number of the balancer's threads. Prints a markdown table of
# medians of interleaved rounds.
#
#   bench/threads.sh [--rounds N] [--seconds S] [--share PERCENT] [THREADS…]        1 2 4 by default
#
# Load and backends take more of a machine than the balancer does. So each of its threads is given
# only a part of a core, 10 % by default (SCHED_DEADLINE, sched(7), as root): the threads are what is
# short, and the cores are not until all parts and the load fill them.
set -euo pipefail
cd "$(dirname "$0")/.."

rounds=5
seconds=3
share=10
counts=()
while [ $# -gt 0 ]; do
  case $1 in
    --rounds) rounds=$2; shift 2 ;;
    --seconds) seconds=$2; shift 2 ;;
    --share) share=$2; shift 2 ;;
    -*) echo "usage: bench/threads.sh [--rounds N] [--seconds S] [--share PERCENT] [THREADS…]" >&2; exit 2 ;;
    *) counts+=("$1"); shift ;;
  esac
done
[ ${#counts[@]} -gt 0 ] || counts=(1 2 4)
as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)

. bench/packages.sh
. bench/backends.sh
install_packages nginx-light wrk util-linux

connections=256
period_ns=10000000
every_core=0-$(($(nproc) - 1))
start_backends "$every_core"

declare -A port pid
for count in "${counts[@]}"; do
  port[$count]=$((first + 9 + count))
  build/bin/gocomet-balancer --listen "127.0.0.1:${port[$count]}" --threads "$count" "${workers[@]}" \
    2>"$dir/$count.log" &
  pid[$count]=$!
  pids+=($!)
  wait_until_it_answers "${port[$count]}" "$count"
  for task in "/proc/${pid[$count]}/task/"*; do
    grep -q '^shard-' "$task/comm" || continue
    "${as_root[@]}" chrt --deadline --sched-runtime $((period_ns * share / 100)) --sched-deadline $period_ns \
      --sched-period $period_ns --pid 0 "${task##*/}"
  done
done

# One round: THREADS -> a line `THREADS rps cpu cores`: CPU time per request in µs, and the cores that
# the balancer used.
measure() {
  local before after
  before=$(ticks "${pid[$1]}")
  wrk -t1 -c$connections -d"${seconds}s" "http://127.0.0.1:${port[$1]}/64" >"$dir/wrk.out"
  after=$(ticks "${pid[$1]}")
  awk -v count="$1" -v before="$before" -v after="$after" -v hz="$hz" -v seconds="$seconds" '
    /requests in/ { requests = $1 } /^Requests\/sec/ { rps = $2 }
    /Non-2xx|Socket errors/ { print count, $0 >"/dev/stderr" }
    END { split(before, b, " "); split(after, a, " "); ticks = a[1] + a[2] - b[1] - b[2]
      print count, rps, ticks / hz / requests * 1e6, ticks / hz / seconds }' "$dir/wrk.out"
}

for _ in $(seq "$rounds"); do
  for count in "${counts[@]}"; do measure "$count" >>"$dir/rounds"; done
done

echo "| threads, each with $share % of a core | requests/s | ÷ with ${counts[0]} | CPU/request | cores used |"
echo "| ---: | ---: | ---: | ---: | ---: |"
for count in "${counts[@]}"; do
  values=()
  for column in 2 3 4; do
    values+=("$(awk -v c="$count" -v k=$column '$1 == c {print $k}' "$dir/rounds" | median)")
  done
  echo "$count ${values[*]}"
done | awk 'NR == 1 { least = $2 }
  { printf "| %d | %d | %.2f | %.1f µs | %.2f |\n", $1, $2, $2 / least, $3, $4 }'
