#!/usr/bin/env bash
# Ends the programs and stops the containers that a `make run` with this folder started, and takes its mounts and networks down. Keeps the state.
#   clean-up.sh FOLDER [--when-input-ends]     the second form is the janitor of run.sh: it waits until nobody holds its input open
set -uo pipefail
home=${1:?"which folder? (the FLOTTA_HOME of the run, by default .flotta)"}
if [[ ${2:-} == --when-input-ends ]]; then
  trap '' INT TERM HUP
  cat >/dev/null
fi
source "$(dirname "${BASH_SOURCE[0]}")/engine.sh"
[[ -d $engine_run ]] || exit 0
exec 7>"$engine_run.lock"
flock 7 # run.sh and its janitor may both come here
[[ -d $engine_run ]] || exit 0

signal() { # signal, name: only processes that still are what they were when they were written down
  local name process started
  while read -r name process started; do
    [[ $name == "$2" && -n $started && $(awk '{print $22}' "/proc/$process/stat" 2>/dev/null) == "$started" ]] && kill "-$1" "$process" 2>/dev/null && echo "$process"
  done <"$engine_run/pids" 2>/dev/null
}
finish() { # name: asked, given five seconds, then made to
  local process deadline=$((SECONDS + 5))
  for process in $(signal TERM "$1"); do
    while kill -0 "$process" 2>/dev/null && ((SECONDS < deadline)) && [[ $(awk '{print $3}' "/proc/$process/stat" 2>/dev/null) != Z ]]; do sleep 0.05; done
  done
  signal KILL "$1" >/dev/null
}

finish flotta-agent # first, so that nothing is started again
if [[ -f $CONTAINERS_CONF ]] && command -v podman >/dev/null; then
  for pod in $(timeout 20 podman "${engine[@]}" pod ps --quiet --filter status=running --filter status=degraded 2>/dev/null); do
    timeout 30 podman "${engine[@]}" pod stop --time 2 "$pod" >/dev/null 2>&1
  done
fi
# The firewall's table of this device; its workloads are stopped. With root alone there is one.
if device=$(cat "$home/device/device-id" 2>/dev/null) && [[ -n $device ]]; then
  PATH=$PATH:/usr/sbin:/sbin nft delete table inet "flotta_$(printf '%s' "$device" | sha256sum | cut -c1-12)" 2>/dev/null
fi
finish podman
finish flotta
# Each container's watcher starts a podman of its own to clean up after it; until the last of them is through, folders fill again.
# The bracket keeps the search from finding itself.
ours() { grep -qsa -- "[/]${engine_run#/}/" /proc/[0-9]*/cmdline; }
deadline=$((SECONDS + 10))
while ours && ((SECONDS < deadline)); do sleep 0.1; done
# Deepest first. The mount on /run/netns is podman's as well; it goes when no namespace of anybody is left in it.
awk -v home="$home/podman/" -v run="$engine_run/" 'index($5, home) == 1 || index($5, run) == 1 {print $5}' /proc/self/mountinfo | sort -r | xargs -r -d '\n' -n 1 umount
if [[ -d /run/netns && -z $(ls -A /run/netns) ]]; then umount /run/netns 2>/dev/null; fi
rm -rf "$engine_run" "$engine_run.lock"
exit 0
