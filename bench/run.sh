#!/usr/bin/env bash
# Measures the balancer beside haproxy and nginx: CPU time of the proxy per request, requests/s,
# latency and memory, as medians of interleaved rounds. Prints a markdown table.
#
#   bench/run.sh [--rounds N] [--seconds S] [CASE…]        cases: see below; all by default
#
# Every proxy has one thread that serves, on one core; the load (wrk) and three backends share the
# other. The last columns compare with the better of haproxy and nginx in the same case, figure by
# figure. A round in which other programs took more than a twentieth of a core is run again, up to
# three times.
set -euo pipefail
cd "$(dirname "$0")/.."

rounds=5
seconds=3
disturbed_max=5 # Percent of a core that others may take in a round before it is run again.
cases=()
while [ $# -gt 0 ]; do
  case $1 in
    --rounds) rounds=$2; shift 2 ;;
    --seconds) seconds=$2; shift 2 ;;
    -*) echo "usage: bench/run.sh [--rounds N] [--seconds S] [CASE…]" >&2; exit 2 ;;
    *) cases+=("$1"); shift ;;
  esac
done
[ ${#cases[@]} -gt 0 ] || cases=(keep-8 keep-64 keep-512 new-conn 64k 1m)

. bench/packages.sh
. bench/backends.sh
install_packages haproxy nginx-light wrk

proxy_core=0
load_core=$(($(nproc) > 1 ? 1 : 0))
start_backends $load_core

# --- The proxies.
declare -A port pid
port=([gocomet]=$((first + 10)) [gocomet-unix]=$((first + 11)) [haproxy]=$((first + 12)) [nginx]=$((first + 13)))
servers="" peers=""
for i in 0 1 2; do
  servers+="  server s$i 127.0.0.1:$((first + i)) check inter 5s
"
  peers+="server 127.0.0.1:$((first + i)); "
done
cat >"$dir/haproxy.cfg" <<CONF
global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 1s
  timeout client 75s
  timeout server 60s
  option forwardfor
  http-reuse always
frontend f
  bind 127.0.0.1:${port[haproxy]}
  default_backend b
backend b
  balance roundrobin
  http-request set-header X-Forwarded-Proto http
$servers
CONF
cat >"$dir/nginx.conf" <<CONF
worker_processes 1; daemon off; master_process off; pid $dir/nginx.pid; error_log /dev/null;
events { worker_connections 4096; }
http { access_log off; keepalive_requests 1000000000; tcp_nodelay on; $temp_paths
  upstream b { $peers keepalive 600; }
  server { listen 127.0.0.1:${port[nginx]} backlog=4096;
    location / { proxy_pass http://b; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host \$host; proxy_set_header X-Request-Id \$request_id;
      proxy_set_header X-Forwarded-For \$proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto \$scheme; proxy_set_header X-Forwarded-Host \$host; } } }
CONF
start() { # NAME COMMAND…
  local name=$1
  shift
  taskset -c $proxy_core "$@" >"$dir/$name.log" 2>&1 &
  pid[$name]=$!
  pids+=($!)
}
start gocomet build/bin/gocomet-balancer --listen "127.0.0.1:${port[gocomet]}" "${workers[@]}"
start gocomet-unix build/bin/gocomet-balancer --listen "127.0.0.1:${port[gocomet-unix]}" "${sockets[@]}"
start haproxy haproxy -db -f "$dir/haproxy.cfg"
start nginx nginx -c "$dir/nginx.conf"
proxies=(gocomet gocomet-unix haproxy nginx)
for name in "${proxies[@]}"; do wait_until_it_answers "${port[$name]}" "$name"; done

# What other programs took of the machine so far, in clock ticks: all of the time that was worked,
# less ours and that of our children that have ended.
ticks_of_others() {
  local all ours
  all=$(awk '$1 == "cpu" {print $2 + $3 + $4 + $7 + $8}' /proc/stat)
  ours=$(for process in "${pids[@]}" $$; do cat "/proc/$process/stat"; done |
    awk '{sum += $14 + $15 + $16 + $17} END {print sum}')
  echo $((all - ours))
}

# One round: NAME CASE -> a line `NAME CASE user system rps p50 p99 rss`, times per request in µs.
# Sets `disturbed` to the share of a core that other programs took meanwhile, in percent.
measure() {
  local name=$1 case=$2 path=/64 connections=64 extra=()
  case $case in
    keep-*) connections=${case#keep-} ;;
    new-conn) extra=(-H "Connection: close") ;;
    64k | 1m) path=/$case ;;
  esac
  local before after others
  others=$(ticks_of_others)
  before=$(ticks "${pid[$name]}")
  taskset -c $load_core wrk -t1 -c"$connections" -d"${seconds}s" --latency "${extra[@]}" \
    "http://127.0.0.1:${port[$name]}$path" >"$dir/wrk.out"
  after=$(ticks "${pid[$name]}")
  disturbed=$((($(ticks_of_others) - others) * 100 / (hz * seconds)))
  awk -v name="$name" -v case="$case" -v before="$before" -v after="$after" -v hz="$hz" \
    -v rss="$(awk '/VmRSS/ {print $2}' "/proc/${pid[$name]}/status")" '
    function us(t) { return t ~ /us$/ ? t + 0 : t ~ /ms$/ ? t * 1000 : t * 1000000 }
    $1 == "50%" { p50 = us($2) } $1 == "99%" { p99 = us($2) }
    /requests in/ { requests = $1 } /^Requests\/sec/ { rps = $2 }
    /Non-2xx|Socket errors/ { print name, case, $0 >"/dev/stderr" }
    END { split(before, b, " "); split(after, a, " "); per = 1e6 / hz / requests
      print name, case, (a[1] - b[1]) * per, (a[2] - b[2]) * per, rps, p50, p99, rss }' "$dir/wrk.out"
}

rounds_disturbed=0
for case in "${cases[@]}"; do
  for _ in $(seq "$rounds"); do
    for name in "${proxies[@]}"; do
      for _ in 1 2 3 4; do
        measure "$name" "$case" >"$dir/round"
        [ "$disturbed" -gt $disturbed_max ] || break
      done
      [ "$disturbed" -le $disturbed_max ] || rounds_disturbed=$((rounds_disturbed + 1))
      cat "$dir/round" >>"$dir/rounds"
    done
  done
done

echo "| case | proxy | CPU/request | user | system | requests/s | p50 | p99 | least to most | resident | CPU ÷ better peer | user ÷ | p99 ÷ |"
echo "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
for case in "${cases[@]}"; do
  for name in "${proxies[@]}"; do
    values=()
    for column in 3 4 5 6 7 8; do
      values+=("$(awk -v n="$name" -v c="$case" -v k=$column '$1 == n && $2 == c {print $k}' "$dir/rounds" | median)")
    done
    values+=("$(awk -v n="$name" -v c="$case" '$1 == n && $2 == c {print $3 + $4}' "$dir/rounds" | median)")
    values+=("$(awk -v n="$name" -v c="$case" '$1 == n && $2 == c {print $7}' "$dir/rounds" | sort -g |
      awk 'NR == 1 {least = $1} END {printf "%d–%d", least, $1}')")
    echo "$case $name ${values[*]}"
  done
done | awk '
  function keep_least(best, key, value) { if (!(key in best) || value < best[key]) best[key] = value }
  { line[NR] = $0 }
  $2 ~ /haproxy|nginx/ { keep_least(cpu, $1, $9); keep_least(user, $1, $3); keep_least(p99, $1, $7) }
  function ratio(a, b) { return b > 0 ? sprintf("%.2f", a / b) : "-" }
  END { for (i = 1; i <= NR; ++i) { split(line[i], f, " ")
    printf "| %s | %s | %.1f µs | %.1f | %.1f | %d | %d µs | %d µs | %s | %.1f MiB | %s | %s | %s |\n",
      f[1], f[2], f[9], f[3], f[4], f[5], f[6], f[7], f[10], f[8] / 1024, ratio(f[9], cpu[f[1]]),
      ratio(f[3], user[f[1]]), ratio(f[7], p99[f[1]]) } }'
if [ $rounds_disturbed -gt 0 ]; then
  printf '\n%d of %d rounds were disturbed: other programs took more than %d %% of a core each time.\n' \
    $rounds_disturbed "$(wc -l <"$dir/rounds")" $disturbed_max
fi
