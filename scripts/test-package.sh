#!/usr/bin/env bash
# Installs out/flotta-agent_*.deb in a fresh Debian made by debootstrap, as root without systemd running: what it brings, whose it is, that it runs, and that an update keeps
# what was configured while a purge takes it away.
set -euo pipefail
cd "$(dirname "$0")/.."
package=$(ls -t out/flotta-agent_*.deb | head -n 1)
root=$(mktemp -d)
finish() {
  umount -l "$root/proc" "$root/dev" 2>/dev/null || true
  rm -rf --one-file-system "$root"
}
trap finish EXIT
in_root() { PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"; }
count=0
check() { # what, command...
  "${@:2}" || { echo "test-package: $1" >&2; exit 1; }
  count=$((count + 1))
}

echo "A fresh Debian ..."
debootstrap --variant=minbase bookworm "$root" >"$root.log" 2>&1 || { tail -n 20 "$root.log" >&2; exit 1; }
rm -f "$root.log"
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
cp "$package" "$root/agent.deb"
in_root apt-get install -y -qq --no-install-recommends /agent.deb >"$root/log" 2>&1 || { tail -n 20 "$root/log" >&2; exit 1; }
check "the program does not run" in_root /usr/bin/flotta-agent --help >/dev/null
check "podman did not come with it" in_root podman --version
check "there is no user flotta" in_root id flotta
check "user flotta has no range of ids" in_root grep -q '^flotta:' /etc/subuid
check "the configuration is not root's alone" test "$(stat -c '%a %u' "$root/etc/flotta-agent/config.toml")" = "600 0"
in_root apt-get install -y -qq --no-install-recommends systemd >"$root/log" 2>&1 || { tail -n 20 "$root/log" >&2; exit 1; }
check "systemd does not take the units" in_root systemd-analyze verify /usr/lib/systemd/system/flotta-agent.service
check "tmpfiles are not taken" in_root systemd-tmpfiles --create flotta-agent.conf
check "flotta does not linger" test -e "$root/var/lib/systemd/linger/flotta"
echo 'server = "flotta.example.com:8043"' >>"$root/etc/flotta-agent/config.toml"
in_root dpkg -i /agent.deb >"$root/log" 2>&1 || { cat "$root/log" >&2; exit 1; }
check "an update lost the configuration" grep -q flotta.example.com "$root/etc/flotta-agent/config.toml"
in_root dpkg --purge flotta-agent >"$root/log" 2>&1 || { cat "$root/log" >&2; exit 1; }
check "a purge left the configuration" test ! -e "$root/etc/flotta-agent/config.toml"
check "a purge left the program" test ! -e "$root/usr/bin/flotta-agent"
echo "$count passed, 0 failed"
