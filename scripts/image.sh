#!/usr/bin/env bash
# Builds a container image from a program in out/: image.sh control-plane|agent [NAME [ARCHIVE]]. The same program and libraries give the same image, byte for byte.
# ARCHIVE: a file that it is written to as well, for `podman load` or a registry's tools.
# FLOTTA_PROGRAM: another program than that in out/, also one for another architecture. Its libraries are then taken from the folder FLOTTA_SYSROOT,
# or from Debian's packages for that architecture, which need not be installed (kept in out/.sysroot-ARCH).
# PODMAN: podman with options, for a storage of your own.
set -euo pipefail
cd "$(dirname "$0")/.."
kind=${1:-control-plane}
case $kind in
  control-plane) program=flotta state=var/lib/flotta ;;
  agent) program=flotta-agent state=var/lib/flotta-agent ;;
  *) echo "image.sh: control-plane or agent, not '$kind'." >&2; exit 2 ;;
esac
name=${2:-localhost/$program:latest}
archive=${3:-}
built=${FLOTTA_PROGRAM:-out/$program}
read -ra podman <<<"${PODMAN:-podman}"
[[ -x $built ]] || { echo "image.sh: $built is not there; run 'make build' first." >&2; exit 1; }
command -v readelf >/dev/null || { echo "image.sh: readelf is not installed (Debian: binutils)." >&2; exit 1; }
case $(LC_ALL=C readelf -h "$built" | sed -n 's/ *Machine: *//p') in
  *X86-64*) arch=amd64 triplet=x86_64-linux-gnu ;;
  AArch64*) arch=arm64 triplet=aarch64-linux-gnu ;;
  *) echo "image.sh: $built is for a machine that no image is made for." >&2; exit 1 ;;
esac

sysroot=${FLOTTA_SYSROOT:-}
if [[ -z $sysroot && $(uname -m) != "${triplet%%-*}" ]]; then
  sysroot=$PWD/out/.sysroot-$arch
  if [[ ! -d $sysroot ]]; then
    echo "image.sh: fetching libc6 and libssl3 for $arch from Debian's packages." >&2
    fetched=$(mktemp -d)
    mkdir -p "$fetched/lists/partial" "$fetched/cache/archives/partial" "$fetched/root"
    apt=(apt-get -qq -o "APT::Architecture=$arch" -o "APT::Architectures=$arch" -o "Dir::State::Lists=$fetched/lists" -o "Dir::Cache=$fetched/cache" -o Dir::State::status=/dev/null -o APT::Sandbox::User=root)
    (cd "$fetched" && "${apt[@]}" update && "${apt[@]}" download libc6 libssl3) >&2
    for package in "$fetched"/*.deb; do dpkg -x "$package" "$fetched/root"; done
    mv "$fetched/root" "$sysroot"
    rm -rf "$fetched"
  fi
fi

context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
root=$context/rootfs

find_library() { # name: where it is on this machine, or in the folder that stands for another
  local folder
  for folder in "$sysroot"/{usr/lib,lib}/"$triplet" "$sysroot"/{lib,usr/lib,lib64,usr/lib64}; do
    [[ -e $folder/$1 ]] && { realpath "$folder/$1"; return; }
  done
  echo "image.sh: $1 for $arch is not there (Debian: libc6, libssl3, zlib1g; FLOTTA_SYSROOT for another machine than this)." >&2
  return 1
}
put() { # file, mode, path: with what it is linked to, each where the loader looks for it
  local needed found interpreter
  install -D -m "$2" "$1" "$root/$3"
  interpreter=$(LC_ALL=C readelf -l "$1" 2>/dev/null | sed -n 's/.*program interpreter: \(.*\)\]/\1/p')
  if [[ -n $interpreter && ! -e $root$interpreter ]]; then
    found=$(find_library "${interpreter##*/}")
    install -D -m 755 "$found" "$root$interpreter"
  fi
  for needed in $(LC_ALL=C readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
    [[ $needed == ld-linux* || -e $root/lib/$triplet/$needed ]] && continue
    found=$(find_library "$needed")
    put "$found" 755 "lib/$triplet/$needed"
  done
}
put "$built" 755 "$program"
[[ $kind == agent ]] || put "$(dirname "$built")/libe_sqlite3.so" 755 libe_sqlite3.so
# Loaded when the first TLS connection is made.
for library in libssl.so.3 libcrypto.so.3; do
  found=$(find_library "$library")
  put "$found" 755 "lib/$triplet/$library"
done
# A cluster's own authority comes with the service account; these are for a kubeconfig that names none.
[[ -e /etc/ssl/certs/ca-certificates.crt ]] && install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
mkdir -p "$context/state/$state"
find "$context" -type d -exec chmod 755 {} +
find "$context" -exec touch -h -d @0 {} +

cp "deploy/image/Containerfile.$kind" "$context/Containerfile"
"${podman[@]}" build --quiet --timestamp 0 --pull=never --no-cache --arch "$arch" --tag "$name" "$context"
[[ -z $archive ]] || { rm -f "$archive" && "${podman[@]}" save --quiet --format oci-archive --output "$archive" "$name" && echo "Made $archive."; }
