#!/usr/bin/env bash
# Measures the programs that `make build` left; each bench prints a table and keeps it under bench/results.
#   bench/run.sh [BENCH...]     first: start-up, idle memory, apply to answer · edge: the Edge API under a simulated fleet
#                               agent: what an idle device may cost; fails where it costs more (half an hour)
#                               agent-metrics: what metrics may cost it; fails where they cost more (some six minutes)
#                               api: the embedded API server beside kube-apiserver and etcd · edge-kubernetes: edge on a real cluster
#                               scale-kubernetes: ten thousand EdgeDevices on a real cluster (some eight minutes)
# Without names: all of them. FLOTTA_BENCH_ONLY=WORD measures those parts of edge whose name has that word: load, registrations, reconnect or memory.
# What needs kube-apiserver and etcd is left out unless KUBEBUILDER_ASSETS names their folder.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1

build() { # what it builds, arguments of dotnet
  local log
  log=$(mktemp)
  "${@:2}" >"$log" 2>&1 || { grep -E 'error|warn' "$log" | sort -u | head -n 40 >&2; echo "bench: building $1 failed" >&2; exit 1; }
  rm -f "$log"
}
benches=("$@")
((${#benches[@]})) || benches=(first agent agent-metrics api edge edge-kubernetes scale-kubernetes)

if [[ " ${benches[*]} " =~ \ (agent|agent-metrics|api|edge|edge-kubernetes|scale-kubernetes)\  ]]; then
  build flotta-bench dotnet build bench/Flotta.Bench -c Release -o out/bench -v quiet -p:UseSharedCompilation=false
  if [[ ! -x out/flotta-bench-bare || -n $(find bench/Flotta.Bench.Bare src/Flotta.Wire -name '*.cs*' -newer out/flotta-bench-bare -not -path '*/obj/*' -print -quit) ]]; then
    echo "Building out/flotta-bench-bare ..."
    build flotta-bench-bare dotnet publish bench/Flotta.Bench.Bare -c Release -r "linux-$(uname -m | sed -e s/x86_64/x64/ -e s/aarch64/arm64/)" -o out/.bare -v quiet -p:UseSharedCompilation=false
    mv out/.bare/flotta-bench-bare out/
    rm -rf out/.bare
  fi
fi

for bench in "${benches[@]}"; do
  echo "== $bench"
  case $bench in
    first) bench/first-numbers.sh ;;
    agent | agent-metrics) bench/agent.sh "$bench" ;;
    api) out/bench/flotta-bench api ;;
    edge) out/bench/flotta-bench edge ;;
    edge-kubernetes) out/bench/flotta-bench edge --kubernetes ;;
    scale-kubernetes) out/bench/flotta-bench scale ;;
    *) echo "bench: first, agent, agent-metrics, api, edge, edge-kubernetes or scale-kubernetes, not '$bench'" >&2; exit 2 ;;
  esac
done
