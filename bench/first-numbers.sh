#!/usr/bin/env bash
# The first bench: start-up, idle memory, and the time from kubectl apply to a container that answers.
# Writes bench/results/DATE-first-numbers.md. Settings: FLOTTA_BENCH_ROUNDS (default 7), FLOTTA_BENCH_IDLE seconds before memory is read for a minute (default 60).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
rounds=${FLOTTA_BENCH_ROUNDS:-7}
idle=${FLOTTA_BENCH_IDLE:-60}
home=$(mktemp -d)
mkdir -p "$home"/{control-plane,device,podman,logs}
echo bench >"$home/device/device-id" # what clean-up.sh knows the firewall's table by
source scripts/engine.sh
mkdir -p "$engine_run"
: >"$engine_run/pids"
running=()
finish() {
  kill "${running[@]}" 2>/dev/null || true
  wait 2>/dev/null || true
  scripts/clean-up.sh "$home"
  rm -rf "$home"
}
trap finish EXIT INT TERM

now() { date +%s%N; }
ms() { echo $((($(now) - $1) / 1000000)); }
median() { printf '%s\n' "$@" | sort -n | awk '{v[NR] = $1} END {print (NR % 2) ? v[(NR + 1) / 2] : int((v[NR / 2] + v[NR / 2 + 1]) / 2)}'; }
rss_mib() { awk '/^VmRSS/ {printf "%.1f", $2 / 1024}' "/proc/$1/status"; }
wait_for() { # command...: every 5 ms, at most 60 s
  local deadline=$((SECONDS + 60))
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < deadline)) || { echo "bench: '$*' did not become true in 60 s; logs are in $home/logs" >&2; tail -n 5 "$home"/logs/* >&2; exit 1; }
    sleep 0.005
  done
}
kube() { kubectl --kubeconfig "$home/control-plane/kubeconfig" --cache-dir "$home/cache" "$@"; }

start_plane() {
  : >"$home/logs/ready"
  out/flotta up --data-dir "$home/control-plane" --kube-port 0 --edge-port "${1:-0}" --metrics-port 0 --auto-approve >"$home/logs/ready" 2>>"$home/logs/flotta" &
  plane=$!
  running+=("$plane")
  wait_for grep -q '^ready' "$home/logs/ready"
  edge=$(sed -nE 's/.* edge=https:\/\/[^ ]*:([0-9]+) .*/\1/p' "$home/logs/ready")
}
start_agent() {
  out/flotta-agent --server "127.0.0.1:$edge" --protocol http --path-prefix api/flotta-management/v1 --ca-root "$home/control-plane/bootstrap/ca.pem" \
    --cert-file "$home/control-plane/bootstrap/cert.pem" --key-file "$home/control-plane/bootstrap/key.pem" --client-id bench \
    --data-dir "$home/device" --podman-socket "$engine_socket" >>"$home/logs/agent" 2>&1 &
  agent=$!
  running+=("$agent")
}
stop() { kill "$1"; wait "$1" 2>/dev/null || true; }

echo "start-up of flotta up ($rounds rounds) ..."
starts=()
for ((i = 0; i < rounds; i++)); do
  begun=$(now); start_plane; starts+=("$(ms "$begun")"); stop "$plane"
done
first=${starts[0]}
plane_start=$(median "${starts[@]:1}")

echo "start-up of flotta-agent ($rounds rounds) ..."
helps=()
for ((i = 0; i < rounds; i++)); do begun=$(now); out/flotta-agent --help >/dev/null; helps+=("$(ms "$begun")"); done
agent_help=$(median "${helps[@]}")

engine_configure
podman "${engine[@]}" system service --time 0 "unix://$engine_socket" >>"$home/logs/podman" 2>&1 &
running+=($!)
wait_for test -S "$engine_socket"
engine_make_image >/dev/null 2>&1
start_plane
connected() { [[ $(kube get edgedevice bench -o 'jsonpath={.status.conditions[?(@.type=="Connected")].status}') == True ]]; }
begun=$(now); start_agent; wait_for connected; enrol=$(ms "$begun")

echo "apply to answer ($rounds rounds) ..."
port=18099
manifest() { sed -e "s/hostPort: [0-9]*/hostPort: $port/" deploy/samples/hello.yaml; }
kube label edgedevice bench app=hello >/dev/null
applies=() deletes=()
answers() { curl -sf --max-time 1 "http://127.0.0.1:$port/"; }
gone() { [[ -z $(podman "${engine[@]}" pod ps -q) ]]; }
for ((i = 0; i < rounds; i++)); do
  begun=$(now); manifest | kube apply -f - >/dev/null; wait_for answers; applies+=("$(ms "$begun")")
  begun=$(now); kube delete edgeworkload hello --wait=false >/dev/null; wait_for gone; deletes+=("$(ms "$begun")")
done
manifest | kube apply -f - >/dev/null
wait_for answers
begun=$(now); manifest | kube apply -f - >/dev/null; kubectl_itself=$(ms "$begun")

echo "change of a configuration ($rounds rounds) ..."
changes=()
for ((i = 0; i < rounds; i++)); do
  begun=$(now)
  kube patch edgeworkload hello --type json -p "[{\"op\":\"add\",\"path\":\"/spec/pod/spec/containers/0/env\",\"value\":[{\"name\":\"ROUND\",\"value\":\"marker-$i-\"}]}]" >/dev/null
  wait_for grep -q "marker-$i-" "$home/device/desired.json"
  changes+=("$(ms "$begun")")
done
sleep 5

echo "idle for $idle s ..."
cpu() { awk '{print $14 + $15}' "/proc/$1/stat"; }
plane_cpu=$(cpu "$plane") agent_cpu=$(cpu "$agent")
sleep "$idle"
plane_cpu=$((($(cpu "$plane") - plane_cpu))) agent_cpu=$((($(cpu "$agent") - agent_cpu)))
echo "idle memory, each second of a minute more ..."
plane_rss=() agent_rss=()
for ((i = 0; i < 60; i++)); do plane_rss+=("$(rss_mib "$plane")"); agent_rss+=("$(rss_mib "$agent")"); sleep 1; done
range() { printf '%s\n' "$@" | sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)] " MiB (" v[1] " to " v[NR] ")"}'; }
size() { du -m --apparent-size "$1" | cut -f1; }

result=bench/results/$(date +%F)-first-numbers.md
cat >"$result" <<EOF
# First numbers

\`make bench\` on $(nproc) cores ($(sed -nE 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)), $(awk '/MemTotal/ {printf "%.0f GiB", $2 / 1048576}' /proc/meminfo), $(. /etc/os-release; echo "$PRETTY_NAME"),
podman $(podman --version | awk '{print $3}'), commit $(git rev-parse --short HEAD)$(git diff --quiet HEAD -- . ':!bench/results' || echo ' with changes'). $rounds rounds, medians; all of it on one machine.

| measure | value | goal |
|---|---|---|
| \`flotta up\`, start to ready, existing data | $plane_start ms | |
| \`flotta up\`, start to ready, empty data (once) | $first ms | |
| \`flotta-agent --help\`, start to end | $agent_help ms | |
| agent start to Connected in kubectl, first enrolment (once) | $enrol ms | |
| kubectl apply to the container's answer (kubectl itself about $kubectl_itself ms of it) | $(median "${applies[@]}") ms | under 10 s |
| kubectl patch of a workload to its new configuration on the device's disk | $(median "${changes[@]}") ms | under 1 s |
| kubectl delete to no pod on the device | $(median "${deletes[@]}") ms | under 5 s |
| idle memory (RSS) of \`flotta up\` with one device and one workload | $(range "${plane_rss[@]}") | under 120 MB |
| idle memory (RSS) of \`flotta-agent\` with one workload | $(range "${agent_rss[@]}") | under 25 MB |
| CPU of \`flotta up\` while idle ($idle s) | $(awk "BEGIN {printf \"%.2f\", $plane_cpu / $(getconf CLK_TCK) / $idle * 100}") % of one core | |
| CPU of \`flotta-agent\` while idle ($idle s) | $(awk "BEGIN {printf \"%.2f\", $agent_cpu / $(getconf CLK_TCK) / $idle * 100}") % of one core | |
| size of out/flotta, out/flotta-agent | $(size out/flotta) MiB, $(size out/flotta-agent) MiB | |

Rounds: start ${starts[*]} · apply ${applies[*]} · change ${changes[*]} · delete ${deletes[*]} (ms).
EOF
cat "$result"
