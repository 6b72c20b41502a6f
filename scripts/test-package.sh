#!/usr/bin/env bash
# Installs out/flotta-agent_*.deb in a fresh Debian made by debootstrap, as root without systemd running: what it brings, whose it is, that it runs, and that an update keeps
# what was configured while a purge takes it away; and when greenboot would call a boot a bad one.
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
for needed in catatonit iptables newuidmap slirp4netns /usr/lib/podman/aardvark-dns; do
  check "what a pod needs did not come with it: $needed" in_root sh -c "command -v $needed" >/dev/null
done
check "there is no user flotta" in_root id flotta
check "user flotta has no range of ids" in_root grep -q '^flotta:' /etc/subuid
check "the configuration is not root's alone" test "$(stat -c '%a %u' "$root/etc/flotta-agent/config.toml")" = "600 0"
in_root apt-get install -y -qq --no-install-recommends systemd >"$root/log" 2>&1 || { tail -n 20 "$root/log" >&2; exit 1; }
check "systemd does not take the units" in_root systemd-analyze verify /usr/lib/systemd/system/flotta-agent.service
check "tmpfiles are not taken" in_root systemd-tmpfiles --create flotta-agent.conf
check "flotta does not linger" test -e "$root/var/lib/systemd/linger/flotta"
home=$(in_root getent passwd flotta | cut -d: -f6)
check "flotta's home is not its own" test "$(in_root stat -c %U "$home")" = flotta
check "flotta's systemd does not start its podman" in_root test -e "$home/.config/systemd/user/sockets.target.wants/podman.socket"
check "flotta's home is a control plane's folder" test "$home" != /var/lib/flotta
greenboot=/usr/lib/greenboot/check/required.d/50-flotta-agent.sh
check "an agent that nobody enabled is a bad boot" in_root bash $greenboot
in_root systemctl enable --quiet flotta-agent.service
check "an agent without a server is a bad boot" in_root bash $greenboot
echo 'server = "flotta.example.com:8043"' >>"$root/etc/flotta-agent/config.toml"
# The systemd of a booted machine is played: the unit's start waits for longer than the check is patient with one that does not come up.
play() { # which process the unit has, each time that it is asked
  mkdir -p "$root/played"
  echo 0 >"$root/played/asked"
  printf '#!/bin/sh\n' >"$root/played/sleep"
  cat >"$root/played/systemctl" <<EOF
#!/bin/sh
asked=\$(cat /played/asked)
case "\$*" in
  *=Job*) echo \$((asked + 1)) >/played/asked; [ "\$asked" -ge 100 ] || echo 7 ;;
  is-active*) [ "\$asked" -ge 100 ] ;;
  *=MainPID*) echo $1 ;;
esac
EOF
  chmod 755 "$root/played"/s*
}
boot_is_good() { in_root env PATH=/played:/usr/bin:/bin bash $greenboot 2>/dev/null; }
boot_is_bad() { ! boot_is_good; }
play 42
check "an agent that waits for the network and then stays up is a bad boot" boot_is_good
# shellcheck disable=SC2016 # For the shell that plays.
play '$$'
check "an agent that is started over and over is a good boot" boot_is_bad
play 0
check "an agent that does not run is a good boot" boot_is_bad
# What the packages' scripts ask of a systemd that runs.
printf '#!/bin/sh\necho "$@" >>/played/calls\n' | tee "$root/played/systemctl" >"$root/played/loginctl"
chmod 755 "$root/played/systemctl" "$root/played/loginctl"
mkdir -p "$root/run/systemd/system"
asked() { grep -q -- "$1" "$root/played/calls"; }
in_root env PATH=/played:/usr/sbin:/usr/bin:/sbin:/bin dpkg -i /agent.deb >"$root/log" 2>&1 || { cat "$root/log" >&2; exit 1; }
check "an update does not start again what runs" asked '^try-restart flotta-agent.service flotta-yggdrasil.service'
not_asked() { ! asked "$1"; }
check "an update enables what somebody has disabled" not_asked '^enable '
rm -r "$root/run/systemd/system"
check "an update lost the configuration" grep -q flotta.example.com "$root/etc/flotta-agent/config.toml"
in_root dpkg --purge flotta-agent >"$root/log" 2>&1 || { cat "$root/log" >&2; exit 1; }
check "a purge left the configuration" test ! -e "$root/etc/flotta-agent/config.toml"
check "a purge left the program" test ! -e "$root/usr/bin/flotta-agent"
echo "$count passed, 0 failed"
