#!/usr/bin/env bash
# Installs what a purpose needs from Debian's packages: setup.sh build|device|test ...
# Says in one line which packages and why; without root it says what to install and stops.
set -euo pipefail

missing=()
reasons=()
need() { # command, package, why
  command -v "$1" >/dev/null 2>&1 || PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null 2>&1 || { missing+=("$2"); reasons+=("$2: $3"); }
}
need_file() { # file, package, why
  [[ -e $1 ]] || { missing+=("$2"); reasons+=("$2: $3"); }
}

for purpose in "$@"; do
  case $purpose in
    build)
      need dotnet dotnet-sdk-10.0 "the .NET SDK that builds everything"
      command -v clang >/dev/null 2>&1 || need gcc gcc "links the agent (Native AOT)"
      need_file /usr/include/zlib.h zlib1g-dev "links the agent (Native AOT)"
      ;;
    device)
      need podman podman "runs the workloads"
      need conmon conmon "watches each container"
      need runc runc "starts containers where cgroups v1 are mounted"
      need_file /usr/lib/podman/netavark netavark "container networks"
      need_file /usr/lib/podman/aardvark-dns aardvark-dns "names in container networks"
      need catatonit catatonit "the pause process of a pod"
      need iptables iptables "published ports"
      need busybox busybox-static "the sample's image is made from it"
      need setpriv util-linux "ends children with their parent"
      need curl curl "asks the sample workload for its page"
      command -v kubectl >/dev/null 2>&1 || need kubectl kubernetes-client "people speak to the control plane with it"
      ;;
    test)
      need ip iproute2 "network namespaces of the tests"
      need openssl openssl "hostile certificates of the tests"
      ;;
    *) echo "setup.sh: unknown purpose '$purpose'; known: build device test" >&2; exit 2 ;;
  esac
done

((${#missing[@]})) || exit 0
mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)
joined=$(printf '%s; ' "${reasons[@]}")
if ((EUID != 0)); then
  echo "These packages are missing (${joined%; }). Install them first:  sudo apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 1
fi
command -v apt-get >/dev/null 2>&1 || { echo "These programs are missing and there is no apt-get to install them with: ${joined%; }." >&2; exit 1; }
echo "Installing ${joined%; }."
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
{ apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 ||
  { tail -n 20 "$log" >&2; echo "Installing ${missing[*]} failed; the last lines of apt-get are above." >&2; exit 1; }
