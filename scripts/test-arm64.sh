#!/usr/bin/env bash
# Runs out/arm64/flotta-agent under qemu-user: its help, a plan, and an enrolment with the out/flotta of this machine until the device is shown as connected.
set -euo pipefail
cd "$(dirname "$0")/.."
home=$(mktemp -d)
running=()
finish() {
  kill "${running[@]}" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$home"
}
trap finish EXIT
fail() { echo "test-arm64: $1" >&2; tail -n 20 "$home"/log.* >&2 2>/dev/null || true; exit 1; }

# OpenSSL for ARM, unpacked beside the cross compiler's libraries and installed nowhere.
sysroot=out/arm64/sysroot
if [[ ! -e $sysroot/usr/lib/aarch64-linux-gnu/libssl.so.3 ]]; then
  mkdir -p "$home/apt/lists/partial" "$home/apt/archives/partial" "$sysroot"
  apt=(-o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Dir::State::Lists="$home/apt/lists" -o Dir::Cache::Archives="$home/apt/archives" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root)
  apt-get "${apt[@]}" update -qq
  (cd "$home" && apt-get "${apt[@]}" download -qq libssl3)
  dpkg-deb -x "$home"/libssl3_*.deb "$sysroot"
fi

agent() { QEMU_LD_PREFIX=/usr/aarch64-linux-gnu QEMU_SET_ENV="LD_LIBRARY_PATH=$PWD/$sysroot/usr/lib/aarch64-linux-gnu" exec qemu-aarch64 out/arm64/flotta-agent "$@"; }
(agent --help) >"$home/help" 2>"$home/log.help" || fail "--help ended with $?"
grep -q -- --thrifty "$home/help" || fail "--help does not say what there is"
echo "help"

out/flotta up --data-dir "$home/plane" --kube-port 0 --edge-port 0 --metrics-port 0 --auto-approve >"$home/ready" 2>"$home/log.plane" &
running+=($!)
for ((i = 0; i < 300; i++)); do grep -q '^ready' "$home/ready" && break; sleep 0.1; done
edge=$(sed -nE 's#.* edge=https://([^ ]*) .*#\1#p' "$home/ready")
(agent --server "$edge" --ca-root "$home/plane/bootstrap/ca.pem" --cert-file "$home/plane/bootstrap/cert.pem" --key-file "$home/plane/bootstrap/key.pem" --client-id arm-1 \
  --data-dir "$home/device" --podman-socket "$home/no-podman.sock") >"$home/log.agent" 2>&1 &
running+=($!)
connected() { [[ $(kubectl --kubeconfig "$home/plane/kubeconfig" get edgedevice arm-1 -o 'jsonpath={.status.conditions[?(@.type=="Connected")].status}' 2>/dev/null) == True ]]; }
for ((i = 0; i < 120; i++)); do connected && [[ -s $home/device/desired.json ]] && break; sleep 1; done
connected || fail "the device is not connected after two minutes"
[[ -s $home/device/desired.json ]] || fail "the device has no configuration"
echo "enrolment, registration, configuration, heartbeat"

# Without podman a plan says what is missing, in one sentence.
(agent plan --data-dir "$home/device" --podman-socket "$home/no-podman.sock") >"$home/plan" 2>&1 && fail "a plan without podman succeeded"
grep -q "podman's socket" "$home/plan" || fail "plan said: $(cat "$home/plan")"
echo "plan"
echo "3 passed, 0 failed"
