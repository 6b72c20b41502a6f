#!/usr/bin/env bash
# `make run`: the control plane, this machine as an edge device, and a container on it. Stays until Ctrl-C.
# State (CA, objects, device identity, containers) is kept in $FLOTTA_HOME; run again to resume.
#
# Nothing may be left behind, whatever is killed: every program started here ends with this script (setpriv --pdeathsig), this script
# starts a program again that ends before its time, and a janitor in a session of its own cleans up when this script is gone.
set -uo pipefail
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$repository"

home=${FLOTTA_HOME:-$repository/.flotta}
kube_port=${FLOTTA_KUBE_PORT:-6443}
edge_port=${FLOTTA_EDGE_PORT:-8043}
metrics_port=${FLOTTA_METRICS_PORT:-8080}
hello_port=${FLOTTA_HELLO_PORT:-8888}
for setting in "FLOTTA_KUBE_PORT=$kube_port" "FLOTTA_EDGE_PORT=$edge_port" "FLOTTA_METRICS_PORT=$metrics_port" "FLOTTA_HELLO_PORT=$hello_port"; do
  [[ ${setting#*=} =~ ^[0-9]+$ && ${setting#*=} -ge 1 && ${setting#*=} -le 65535 ]] || { echo "$setting is not a port between 1 and 65535." >&2; exit 2; }
done

source "$repository/scripts/steps.sh"
mkdir -p "$home"/{control-plane,device,podman,logs} && chmod 700 "$home" || fail "cannot create $home" "choose another folder with FLOTTA_HOME."
home=$(cd "$home" && pwd)
source "$repository/scripts/engine.sh"

exec 8>"$home/lock"
flock -n 8 || fail "another 'make run' uses $home" "stop it, or choose another folder with FLOTTA_HOME."

heading "Flotta"
step "packages" "see the lines above" scripts/setup.sh build device
step "programs" "see the lines above" scripts/build.sh
export PATH=$PATH:/usr/sbin:/sbin

kubectl() { command kubectl --kubeconfig "$home/control-plane/kubeconfig" --cache-dir "$home/kubectl-cache" "$@"; }

# A program that was running and is gone is started again: pids and commands are kept by name.
declare -A pid=()
launch() { # name
  local log=$home/logs/$1.log
  case $1 in
    podman) setpriv --pdeathsig TERM podman "${engine[@]}" system service --time 0 "unix://$engine_socket" >>"$log" 2>&1 8>&- 9>&- & ;;
    flotta)
      : >"$home/logs/ready"
      setpriv --pdeathsig TERM out/flotta up --data-dir "$home/control-plane" --kube-port "$kube_port" --edge-port "$edge_port" \
        --metrics-port "$metrics_port" --auto-approve >"$home/logs/ready" 2>>"$log" 8>&- 9>&- &
      ;;
    flotta-agent)
      setpriv --pdeathsig TERM out/flotta-agent --server "127.0.0.1:$edge_port" --protocol http --path-prefix api/flotta-management/v1 \
        --ca-root "$home/control-plane/bootstrap/ca.pem" --cert-file "$home/control-plane/bootstrap/cert.pem" \
        --key-file "$home/control-plane/bootstrap/key.pem" --client-id "$device" --data-dir "$home/device" \
        --podman-socket "$engine_socket" >>"$log" 2>&1 8>&- 9>&- &
      ;;
  esac
  pid[$1]=$!
  # What the janitor may end: a pid alone could be somebody else's by then, so its start time goes with it.
  printf '%s %s %s\n' "$1" "$!" "$(awk '{print $22}' "/proc/$!/stat" 2>/dev/null)" >>"$engine_run/pids"
}
alive() { kill -0 "${pid[$1]:-0}" 2>/dev/null && [[ -n ${pid[$1]:-} ]]; }

stopping=0
stop() { # exit code
  ((stopping == 0)) || return 0
  stopping=1
  trap 'echo "Stopping already; a few seconds more."' INT TERM
  cut_step_short
  echo
  step "stop" "run 'scripts/clean-up.sh $home' to stop what is left" stop_all
  exec 9>&- # the janitor finds nothing to do and ends
  echo "Stopped. The state is in $home; 'make run' resumes with it, 'rm -r' forgets it."
  exit "$1"
}
stop_all() { scripts/clean-up.sh "$home"; }
trap 'stop 0' INT TERM
trap '((stopping)) || { stopping=1; scripts/clean-up.sh "$home"; }' EXIT

# The janitor reads a pipe that only this script holds open: its end means that this script is gone.
start_janitor() {
  exec 9> >(trap '' INT TERM HUP; exec setsid "$repository/scripts/clean-up.sh" "$home" --when-input-ends >>"$home/logs/janitor.log" 2>&1 8>&-)
  pid[janitor]=$!
}

scripts/clean-up.sh "$home" # what a run left that the machine itself cut off
mkdir -p "$engine_run"
: >"$engine_run/pids"
start_janitor

start_engine() { engine_configure && launch podman; }
engine_answers() { [[ -S $engine_socket ]] && curl -sf --max-time 2 --unix-socket "$engine_socket" http://d/_ping >/dev/null; }
start_engine
step "container engine" "see $home/logs/podman.log" until_true 30 podman engine_answers
step "sample image" "see the lines above" engine_make_image

control_plane_ready() { grep -q '^ready' "$home/logs/ready"; }
launch flotta
step "control plane" "see $home/logs/flotta.log; ports are chosen with FLOTTA_KUBE_PORT, FLOTTA_EDGE_PORT and FLOTTA_METRICS_PORT" \
  until_true 60 flotta control_plane_ready
ready_at=$(date +%s%N)

device=$(cat "$home/device/device-id" 2>/dev/null || true)
if [[ -z $device ]]; then
  device=$(tr -cd 'a-f0-9' </etc/machine-id 2>/dev/null)
  [[ -n $device ]] || device=$(tr -d - </proc/sys/kernel/random/uuid)
  printf '%s\n' "$device" >"$home/device/device-id"
fi
device_connected() { [[ $(kubectl get edgedevice "$device" -o 'jsonpath={.status.conditions[?(@.type=="Connected")].status}' 2>/dev/null) == True ]]; }
apply_sample() {
  kubectl label --overwrite edgedevice "$device" app=hello >/dev/null &&
    sed -e "s/hostPort: [0-9]*/hostPort: $hello_port/" deploy/samples/hello.yaml | kubectl apply -f -
}
hello_answers() { curl -sf --max-time 2 "http://127.0.0.1:$hello_port/" >/dev/null; }

launch flotta-agent
step "this device" "see $home/logs/flotta-agent.log" until_true 60 flotta-agent device_connected
step "workload" "see the lines above" apply_sample
step "container" "kubectl --kubeconfig $home/control-plane/kubeconfig describe edgedevice $device says what it waits for" \
  until_true 60 flotta-agent hello_answers
echo "  from 'ready' to the container's answer: $((($(date +%s%N) - ready_at) / 1000000)) ms"
workload_reported() { [[ $(kubectl get edgedevice "$device" -o 'jsonpath={.status.workloads[?(@.name=="hello")].phase}' 2>/dev/null) == Running ]]; }
step "report" "see $home/logs/flotta-agent.log" until_true 30 flotta-agent workload_reported

echo
kubectl get edgedevices,edgeworkloads
cat <<EOF

This runs now:
  control plane   https://127.0.0.1:$kube_port (Kubernetes API), https://127.0.0.1:$edge_port (Edge API), http://127.0.0.1:$metrics_port/metrics
  this device     $device, its containers: podman --url unix://$engine_socket ps
  the container   http://127.0.0.1:$hello_port answers: $(curl -s --max-time 2 "http://127.0.0.1:$hello_port/" | tr -d '\n' | cut -c1-60)

Try next, in another terminal:
  export KUBECONFIG=$home/control-plane/kubeconfig
  kubectl label edgedevice $device app-        # the selector no longer matches: the container goes; app=hello brings it back
  kubectl describe edgedevice $device          # what the device says of itself
  kubectl delete edgeworkload hello            # the container goes for good; 'kubectl apply -f deploy/samples/hello.yaml' brings it back

Ctrl-C stops all of it and keeps the state in $home.
EOF
[[ -z ${FLOTTA_RUN_ONCE:-} ]] || stop 0

while :; do
  for name in podman flotta flotta-agent; do
    alive "$name" && continue
    echo "$(date +%T) $name ended unexpectedly; starting it again (its log: $home/logs/$name.log)"
    rm -f "$([[ $name == podman ]] && echo "$engine_socket")"
    launch "$name"
    sleep 1 & wait $! # a program that ends at once is not started in a tight loop
  done
  alive janitor || start_janitor
  sleep 1 & wait $!
done
