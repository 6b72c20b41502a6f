#!/usr/bin/env bash
# The agent's resource contract, with a podman of its own. FLOTTA_BENCH_AGENT_MINUTES (default 10): how long idle agents are watched; the thrifty one is watched
# until the request that it holds ends, half an hour.
# agent.sh agent-metrics: what metrics cost. FLOTTA_BENCH_METRICS_MINUTES (default 4): how long an agent is watched that collects them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
home=$(mktemp -d)
mkdir -p "$home"/{control-plane,device,podman,logs}
echo busy >"$home/device/device-id" # what clean-up.sh knows the firewall's table by
source scripts/engine.sh
mkdir -p "$engine_run"
: >"$engine_run/pids"
finish() {
  [[ -z ${service:-} ]] || kill "$service" 2>/dev/null || true
  wait 2>/dev/null || true
  scripts/clean-up.sh "$home"
  rm -rf "$home"
}
trap finish EXIT
engine_configure
podman "${engine[@]}" system service --time 0 "unix://$engine_socket" >>"$home/logs/podman" 2>&1 &
service=$!
for ((i = 0; i < 200; i++)); do [[ -S $engine_socket ]] && break; sleep 0.1; done
engine_make_image >/dev/null 2>&1
out/bench/flotta-bench "${1:-agent}" "$engine_socket"
