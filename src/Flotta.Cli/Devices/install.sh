#!/bin/sh
# Makes this machine a device of Flotta, as root:  sh -s SERVER CA-FINGERPRINT [CLIENT-ID] < this file
# It holds the key that new devices enrol with: keep it like a password.
set -eu
umask 077
export LC_ALL=C
root=${FLOTTA_INSTALL_ROOT:-} # for looking at what it would do: no package is installed, no service started
fail() { echo "flotta: $1" >&2; exit 1; }
[ $# -ge 2 ] || fail "call it with the server's address and the fingerprint of its CA"
server=$1 fingerprint=$2 id=${3:-}
case $server in *[!A-Za-z0-9.:_-]*|*:*[!0-9]*|:*|*:) case $server in \[*\]:*[0-9]) ;; *) fail "the server is HOST:PORT, not $server" ;; esac ;; *:*) ;; *) fail "the server is HOST:PORT, not $server" ;; esac
case $id in *[!a-z0-9.-]*) fail "the client id may have lower-case letters, digits, '-' and '.'" ;; esac
[ "$(id -u)" = 0 ] || fail "this has to run as root"

ca() { cat <<'PEM'
@CA@
PEM
}
cert() { cat <<'PEM'
@CERT@
PEM
}
key() { cat <<'PEM'
@KEY@
PEM
}
@PACKAGES@
# The first certificate is the authority that signs at present.
found=$(ca | sed -n '/BEGIN CERTIFICATE/,/END CERTIFICATE/p;/END CERTIFICATE/q' | sed '/-----/d' | base64 -d | sha256sum | cut -d' ' -f1)
[ "sha256:$found" = "$fingerprint" ] || fail "this file is for another server: its CA has the fingerprint sha256:$found"

if [ -z "$root" ]; then
  if command -v dpkg >/dev/null 2>&1; then kind=deb_$(dpkg --print-architecture); else kind=rpm_$(uname -m); fi
  if command -v "package_$kind" >/dev/null 2>&1; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    chmod 0755 "$work"
    (umask 022; "package_$kind" | base64 -d >"$work/flotta-agent.${kind%%_*}")
    case $kind in
      # Its input is this file, and the configuration that this file wrote before is no question to ask.
      deb_*)
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq </dev/null \
          && apt-get install -y -qq --no-install-recommends -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$work/flotta-agent.deb" nftables </dev/null ;;
      *) if command -v dnf >/dev/null 2>&1; then dnf install -y -q "$work/flotta-agent.rpm" nftables </dev/null; else fail "there is no dnf to install the package with"; fi ;;
    esac || fail "the package could not be installed"
  fi
  command -v flotta-agent >/dev/null 2>&1 || fail "flotta-agent is not installed, and no package for $kind came with this file (flotta device install-script --package FILE)"
fi

put() { # file: whole or not at all
  (umask 022; mkdir -p "$root$(dirname "$1")")
  cat >"$root$1.new"
  mv -f "$root$1.new" "$root$1"
}
ca | put /etc/pki/consumer/ca.pem
cert | put /etc/pki/consumer/cert.pem
key | put /etc/pki/consumer/key.pem
chmod 0700 "$root/etc/pki/consumer"
{
  echo "server = \"$server\""
  [ -z "$id" ] || echo "client-id = \"$id\""
  echo 'protocol = "http"'
  echo 'path-prefix = "api/flotta-management/v1"'
  echo 'ca-root = ["/etc/pki/consumer/ca.pem"]'
  echo 'cert-file = "/etc/pki/consumer/cert.pem"'
  echo 'key-file = "/etc/pki/consumer/key.pem"'
} | put /etc/flotta-agent/config.toml

if [ -z "$root" ]; then
  if [ -d /run/systemd/system ]; then
    systemctl enable --now podman.socket
    # Its containers' user, where there is one: its systemd, and with that its podman's socket, otherwise come with the next boot.
    if id flotta >/dev/null 2>&1 && [ -e /var/lib/systemd/linger/flotta ]; then loginctl enable-linger flotta; fi
    systemctl enable flotta-agent.service
    systemctl restart flotta-agent.service
    echo "flotta-agent runs; its key's fingerprint, to compare before approving (kubectl get edsr), is in: journalctl -u flotta-agent"
  else
    echo "there is no systemd here: start it yourself with  flotta-agent --config /etc/flotta-agent/config.toml"
  fi
fi
