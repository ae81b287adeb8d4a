#!/usr/bin/env bash
# Measures the load's reports of docs/performance again, except before-* and after-*, and draws the plot: about ten
# minutes on two idle cores.
# Usage: docs/measure.sh [HANDLER]      an executable to use instead of a new production build.
set -euo pipefail
handler=(${1:+--handler "$(realpath "$1")"})
cd "$(dirname "$0")/.."

cargo build --release --locked --example load

run() {
  local name=$1
  shift
  printf '\n== %s\n' "$name"
  target/release/examples/load "$@" "${handler[@]}" --json "docs/performance/$name.json"
}

run rtt-0 --alerts 3000 --capacity 10000
run rtt-50 --alerts 500 --rtt-ms 50
run rtt-50-common --alerts 500 --rtt-ms 50 --common
for watchers in 1 4 16 64 256 1000; do
  run "watchers-$watchers" --alerts 1000 --watchers "$watchers"
done
# Azure's own limit allows no more beside the captures that the handler creates.
for captures in 10 1000 2500 5000 9900; do
  run "captures-$captures" --alerts 40 --concurrency 1 --watchers 40 --captures "$captures"
done
for alerts in 1000 2000 5000 10000 100000; do
  run "alerts-$alerts" --alerts "$alerts"
done
run cases --cases --rtt-ms 50
python3 docs/plot.py
