#!/usr/bin/env bash
# Installs what a purpose needs from Debian's packages: setup.sh build|device|test|package|arm64 ...
# Says in one line which packages and why; without root it says what to install and stops.
set -euo pipefail

# Debian installs only one syslog at a time, and tests want two: this one is unpacked there, with the libraries that it needs.
syslog_ng=/var/cache/flotta-tests/syslog-ng
unpack=0

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
      command -v clang >/dev/null 2>&1 || need gcc gcc "links the programs (Native AOT)"
      need_file /usr/include/zlib.h zlib1g-dev "links the programs (Native AOT)"
      ;;
    device)
      need podman podman "runs the workloads"
      need conmon conmon "watches each container"
      need runc runc "starts containers where cgroups v1 are mounted"
      need_file /usr/lib/podman/netavark netavark "container networks"
      need_file /usr/lib/podman/aardvark-dns aardvark-dns "names in container networks"
      need catatonit catatonit "the pause process of a pod"
      need iptables iptables "published ports"
      need nft nftables "the device's firewall rules"
      need mount mount "mounts of the device's configuration"
      need busybox busybox-static "the sample's image is made from it"
      need setpriv util-linux "ends children with their parent"
      need curl curl "asks the sample workload for its page"
      command -v kubectl >/dev/null 2>&1 || need kubectl kubernetes-client "people speak to the control plane with it"
      ;;
    test)
      need ip iproute2 "network namespaces of the tests"
      need_file /usr/lib/python3/dist-packages/grpc python3-grpcio "the sample worker in another language"
      need_file /usr/lib/python3/dist-packages/google/protobuf python3-protobuf "the sample worker in another language"
      need mkfs.ext4 e2fsprogs "a file system of the tests"
      need openssl openssl "hostile certificates of the tests"
      need faketime faketime "a clock that the tests can set"
      need systemd-analyze systemd "starts workloads in tests, and reads their units"
      need newuidmap uidmap "containers of a user without rights"
      need slirp4netns slirp4netns "their network"
      need docker-registry docker-registry "a registry of the tests"
      need htpasswd apache2-utils "its passwords"
      need prometheus prometheus "receives metrics in tests"
      need ostree ostree "a repository and a system root of the tests"
      need rsyslogd rsyslog "receives logs in tests"
      need node nodejs "runs the S3 server of the tests"
      need npm npm "fetches the S3 server of the tests"
      [[ -x $syslog_ng/usr/sbin/syslog-ng ]] || unpack=1
      need ansible-playbook ansible-core "runs the playbooks of tests"
      need swtpm swtpm "a TPM of the tests"
      need tpm2_unseal tpm2-tools "asks it for the device's key"
      need sudo sudo "by which playbooks of tests become somebody else"
      ;;
    package)
      need dpkg-deb dpkg "makes the .deb"
      need rpmbuild rpm "makes the .rpm"
      need systemd-analyze systemd "looks through the units"
      need debootstrap debootstrap "a fresh Debian to install the package in"
      ;;
    arm64)
      need clang clang "links for 64-bit ARM"
      need aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu "links for 64-bit ARM"
      need_file /usr/aarch64-linux-gnu/lib/libc.so libc6-dev-arm64-cross "links for 64-bit ARM"
      need qemu-aarch64 qemu-user "runs what was built for 64-bit ARM"
      ;;
    *) echo "setup.sh: unknown purpose '$purpose'; known: build device test package arm64" >&2; exit 2 ;;
  esac
done

((${#missing[@]} || unpack)) || exit 0
((${#missing[@]})) && mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)
joined=$(printf '%s; ' "${reasons[@]}")
if ((EUID != 0 && !${#missing[@]})); then
  echo "syslog-ng is missing in $syslog_ng (receives logs in tests). Run scripts/setup.sh test as root once." >&2
  exit 1
fi
if ((EUID != 0)); then
  echo "These packages are missing (${joined%; }). Install them first:  sudo apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 1
fi
command -v apt-get >/dev/null 2>&1 || { echo "These programs are missing and there is no apt-get to install them with: ${joined%; }." >&2; exit 1; }
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ((${#missing[@]})); then
  echo "Installing ${joined%; }."
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 ||
    { tail -n 20 "$log" >&2; echo "Installing ${missing[*]} failed; the last lines of apt-get are above." >&2; exit 1; }
fi

if ((unpack)); then
  echo "Unpacking syslog-ng-core to $syslog_ng (receives logs in tests, beside rsyslog)."
  fetched=$(mktemp -d)
  trap 'rm -rf "$log" "$fetched"' EXIT
  chmod 755 "$fetched"
  packages=(syslog-ng-core libivykis0 libnet1 libwrap0)
  { (cd "$fetched" && { apt-get download -qq "${packages[@]}" || { apt-get update -qq && apt-get download -qq "${packages[@]}"; }; }) &&
    mkdir -p "$syslog_ng.new" && for package in "$fetched"/*.deb; do dpkg -x "$package" "$syslog_ng.new" || exit 1; done && rm -rf "$syslog_ng" && mv "$syslog_ng.new" "$syslog_ng"; } >"$log" 2>&1 ||
    { tail -n 20 "$log" >&2; echo "Unpacking syslog-ng-core failed; the last lines are above." >&2; exit 1; }
fi
