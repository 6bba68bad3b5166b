# shellcheck shell=bash
# To be sourced: processes that last as long as the script, and three backends to proxy for. Uses
# bench/packages.sh.

dir=$(mktemp -d)
pids=()
finish() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  rm -rf "$dir"
}
trap finish EXIT

first=$((20000 + RANDOM % 10000)) # The first of twenty ports.
# Of nginx, away from the places that belong to the machine's own.
temp_paths="client_body_temp_path $dir/tmp; proxy_temp_path $dir/tmp; fastcgi_temp_path $dir/tmp;
  uwsgi_temp_path $dir/tmp; scgi_temp_path $dir/tmp;"

# start_backends CORES: one nginx that serves /64, /64k and /1m on three ports and three Unix
# sockets; sets `workers` and `sockets`, the balancer's flags for either.
start_backends() {
  local i listens=""
  workers=() sockets=()
  mkdir -p "$dir/www" "$dir/tmp"
  head -c 64 /dev/zero | tr '\0' x >"$dir/www/64"
  head -c 65536 /dev/zero | tr '\0' x >"$dir/www/64k"
  head -c 1048576 /dev/zero | tr '\0' x >"$dir/www/1m"
  for i in 0 1 2; do
    listens+="listen 127.0.0.1:$((first + i)) backlog=4096; listen unix:$dir/$i.sock backlog=4096; "
    workers+=(--worker "127.0.0.1:$((first + i))")
    sockets+=(--worker "unix:$dir/$i.sock")
  done
  cat >"$dir/backend.conf" <<CONF
worker_processes 1; daemon off; pid $dir/backend.pid; error_log /dev/null;
events { worker_connections 8192; }
http { access_log off; keepalive_requests 1000000000; sendfile on; tcp_nodelay on; $temp_paths
  open_file_cache max=10; server { $listens root $dir/www; } }
CONF
  chmod -R a+rX "$dir"
  taskset -c "$1" nginx -c "$dir/backend.conf" 2>/dev/null & pids+=($!)
}

# wait_until_it_answers PORT NAME: ends the script where it does not in time.
wait_until_it_answers() {
  local _
  for _ in $(seq 100); do
    curl -sf -o /dev/null "http://127.0.0.1:$1/64" && return
    sleep 0.05
  done
  echo "error: $2 does not answer on port $1:" >&2
  cat "$dir/$2.log" >&2
  exit 1
}

ticks() { awk '{print $14, $15}' "/proc/$1/stat"; } # User and system time in clock ticks.
hz=$(getconf CLK_TCK)

median() { sort -g | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }
