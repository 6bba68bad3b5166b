#!/usr/bin/env bash
# Measures our parser beside libhttp-parser, on one core, and prints a markdown table: GB/s as medians
# of interleaved repetitions.
#   bench/parser.sh [--repetitions N]
set -euo pipefail
cd "$(dirname "$0")/.."

repetitions=9
case ${1:-} in
  '') ;;
  --repetitions) repetitions=$2 ;;
  *) echo "usage: bench/parser.sh [--repetitions N]" >&2; exit 2 ;;
esac

. bench/packages.sh
install_packages libbenchmark-dev libhttp-parser-dev

log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { cmake --preset release && cmake --build build --target parser_benchmark; } >"$log" 2>&1; then
  cat "$log"
  exit 1
fi

taskset -c 0 build/bench/parser_benchmark --benchmark_format=json \
  --benchmark_repetitions="$repetitions" --benchmark_enable_random_interleaving=true \
  --benchmark_min_time=0.1 2>/dev/null >"$log"

echo '| head | bytes | ours GB/s | with its meaning GB/s | libhttp-parser GB/s | ours / libhttp-parser |'
echo '| --- | ---: | ---: | ---: | ---: | ---: |'
jq -r '
  def gigabytes: . / 1e9 * 100 | round / 100;
  [.benchmarks[] | select(.aggregate_name == "median")
    | (.run_name | split("/")) as $name
    | {head: $name[0], of: $name[1], rate: .bytes_per_second,
       bytes: (.bytes_per_second * .cpu_time / 1e9 | round)}]
  | group_by(.head)[]
  | (map({(.of): .rate}) | add) as $rate
  | "| \(.[0].head) | \(.[0].bytes) | \($rate.ours | gigabytes) | \($rate.ours_understood | gigabytes) |"
    + " \($rate.libhttp_parser | gigabytes) | \($rate.ours / $rate.libhttp_parser * 10 | round / 10) |"
' "$log"
