#!/usr/bin/env bash
# Makes out/flotta-agent_VERSION_ARCH.deb, and an .rpm of the same files where rpmbuild is, and looks into both. package.sh [VERSION]; the program has to be in out/.
set -euo pipefail
cd "$(dirname "$0")/.."
version=${1:-$(git describe --tags --match 'v*' 2>/dev/null | sed 's/^v//' || true)}
version=${version:-0.3.0}
[[ -x out/flotta-agent ]] || { echo "package.sh: out/flotta-agent is not there: run 'make build' first." >&2; exit 1; }
case $(uname -m) in x86_64) deb=amd64 rpm=x86_64 ;; aarch64) deb=arm64 rpm=aarch64 ;; *) echo "package.sh: nothing is built for $(uname -m)." >&2; exit 1 ;; esac
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
tree=$root/tree
install -D -m 0755 out/flotta-agent "$tree/usr/bin/flotta-agent"
install -D -m 0644 -t "$tree/usr/lib/systemd/system" deploy/device/flotta-agent.service deploy/device/flotta-yggdrasil.service
install -D -m 0644 deploy/device/tmpfiles.conf "$tree/usr/lib/tmpfiles.d/flotta-agent.conf"
install -D -m 0644 deploy/device/sysusers.conf "$tree/usr/lib/sysusers.d/flotta-agent.conf"
install -D -m 0755 -t "$tree/usr/lib/greenboot/check/required.d" deploy/device/greenboot/50-flotta-agent.sh
install -D -m 0644 deploy/device/tags.toml "$tree/usr/share/doc/flotta-agent/examples/tags.toml"
install -D -m 0644 deploy/device/config.toml "$tree/usr/share/doc/flotta-agent/examples/config.toml"
install -D -m 0600 deploy/device/config.toml "$tree/etc/flotta-agent/config.toml"
install -D -m 0644 LICENSE "$tree/usr/share/doc/flotta-agent/copyright"

if command -v systemd-analyze >/dev/null 2>&1; then
  mkdir "$root/units"
  for unit in "$tree"/usr/lib/systemd/system/*; do sed "s#/usr/bin/flotta-agent#$tree/usr/bin/flotta-agent#" "$unit" >"$root/units/${unit##*/}"; done
  systemd-analyze verify "$root"/units/* 2>&1 | grep -F "$root/units" && { echo "package.sh: systemd does not take these units." >&2; exit 1; }
fi
# What makes a mount namespace (man systemd.exec) would keep the agent's mounts, and a worker's, from the rest of the machine.
if grep -nE '^(Protect(System|Home|ControlGroups|Proc|Kernel[A-Za-z]+)|Private(Tmp|Devices|Mounts|Users|IPC)|ProcSubset|MountFlags|MountAPIVFS|(ReadWrite|ReadOnly|Inaccessible|Exec|NoExec)Paths|Bind(ReadOnly)?Paths|TemporaryFileSystem|Root(Directory|Image)|DynamicUser)=' "$tree"/usr/lib/systemd/system/*; then
  echo "package.sh: this line gives the unit mounts of its own." >&2
  exit 1
fi

cat >"$root/postinst" <<'EOF'
#!/bin/sh
set -e
if command -v systemd-sysusers >/dev/null 2>&1; then systemd-sysusers flotta-agent.conf || true
elif ! getent passwd flotta >/dev/null; then useradd --system --user-group --home-dir /var/lib/flotta-containers --shell /usr/sbin/nologin flotta || true; fi
if ! grep -q '^flotta:' /etc/subuid 2>/dev/null && command -v usermod >/dev/null 2>&1; then usermod --add-subuids 2000000-2065535 --add-subgids 2000000-2065535 flotta || true; fi
# Enabled once, and whoever disables it later has meant it. Not started before there is a server in its configuration; what runs is started again by an update.
first=no
case "$1" in configure) [ -n "${2:-}" ] || first=yes ;; 1) first=yes ;; esac
if [ -d /run/systemd/system ]; then
  systemd-tmpfiles --create flotta-agent.conf || true
  systemctl daemon-reload || true
  loginctl enable-linger flotta || true
  systemctl try-restart flotta-agent.service flotta-yggdrasil.service || true
  if [ $first = yes ]; then
    systemctl enable --now podman.socket || true
    systemctl enable flotta-agent.service || true
    if grep -q '^ *server' /etc/flotta-agent/config.toml; then systemctl start flotta-agent.service || true; fi
  fi
fi
EOF
cat >"$root/prerm" <<'EOF'
#!/bin/sh
set -e
# Called with "remove" by dpkg and with 0 by rpm; not for an update. Workloads run on; flotta-agent decommission removes them.
[ -d /run/systemd/system ] || exit 0
case "$1" in
  # Whether it was enabled is kept until the purge, as its configuration is.
  remove) systemctl stop flotta-agent.service flotta-yggdrasil.service || true ;;
  0) systemctl disable --now flotta-agent.service flotta-yggdrasil.service || true ;;
esac
EOF
cat >"$root/postrm" <<'EOF'
#!/bin/sh
set -e
if [ "$1" = purge ]; then rm -f /etc/systemd/system/multi-user.target.wants/flotta-agent.service /etc/systemd/system/multi-user.target.wants/flotta-yggdrasil.service; fi
if [ -d /run/systemd/system ]; then systemctl daemon-reload || true; fi
EOF

mkdir -p "$root/deb/DEBIAN"
cp -a "$tree/." "$root/deb/"
cat >"$root/deb/DEBIAN/control" <<EOF
Package: flotta-agent
Version: $version
Architecture: $deb
Maintainer: Flotta
Section: admin
Priority: optional
Depends: libc6 (>= 2.34), libssl3, zlib1g, ca-certificates, podman (>= 4.3), catatonit, iptables, aardvark-dns, uidmap, slirp4netns, dbus-user-session
Recommends: nftables
Suggests: ansible-core, tpm2-tools
Description: Flotta device agent
 Enrols this machine with a Flotta control plane, runs the workloads that it
 is sent with podman, and tells how they are.
EOF
echo /etc/flotta-agent/config.toml >"$root/deb/DEBIAN/conffiles"
install -m 0755 "$root/postinst" "$root/prerm" "$root/postrm" "$root/deb/DEBIAN/"
dpkg-deb --root-owner-group --build "$root/deb" "out/flotta-agent_${version}_$deb.deb" >/dev/null
# What is in it, and whose: a package that lacks a unit, or hands the configuration to everybody, is not made.
expect() { # which package, its listing
  local path
  for path in /usr/bin/flotta-agent /usr/lib/systemd/system/flotta-agent.service /usr/lib/systemd/system/flotta-yggdrasil.service /usr/lib/sysusers.d/flotta-agent.conf \
    /usr/lib/tmpfiles.d/flotta-agent.conf /usr/lib/greenboot/check/required.d/50-flotta-agent.sh /usr/share/doc/flotta-agent/copyright /usr/share/doc/flotta-agent/examples/config.toml; do
    grep -qE " \.?$path\$" <<<"$2" || { echo "package.sh: $path is not in the $1." >&2; exit 1; }
  done
  grep -qE '^-rw------- .*root.* \.?/etc/flotta-agent/config.toml$' <<<"$2" || { echo "package.sh: the configuration in the $1 is not root's alone." >&2; exit 1; }
}
expect .deb "$(dpkg-deb --contents "out/flotta-agent_${version}_$deb.deb")"
echo "out/flotta-agent_${version}_$deb.deb"

command -v rpmbuild >/dev/null 2>&1 || exit 0
cat >"$root/flotta-agent.spec" <<EOF
Name: flotta-agent
Version: ${version//-/.}
Release: 1
Summary: Flotta device agent
License: Apache-2.0
Requires: podman >= 4.3, openssl-libs, ca-certificates
Requires(post): systemd, shadow-utils
Recommends: nftables
AutoReqProv: no
%description
Enrols this machine with a Flotta control plane, runs the workloads that it is sent with podman, and tells how they are.
%install
mkdir -p %{buildroot}
cp -a $tree/. %{buildroot}/
%post
$(tail -n +2 "$root/postinst")
%preun
$(tail -n +2 "$root/prerm")
%files
/usr/bin/flotta-agent
/usr/lib/systemd/system/flotta-agent.service
/usr/lib/systemd/system/flotta-yggdrasil.service
/usr/lib/tmpfiles.d/flotta-agent.conf
/usr/lib/sysusers.d/flotta-agent.conf
/usr/lib/greenboot/check/required.d/50-flotta-agent.sh
/usr/share/doc/flotta-agent/examples/config.toml
/usr/share/doc/flotta-agent/examples/tags.toml
/usr/share/doc/flotta-agent/copyright
%attr(0600,root,root) %config(noreplace) /etc/flotta-agent/config.toml
EOF
rpmbuild -bb --quiet --target "$rpm" --define "_topdir $root/rpm" --define "_rpmdir $root/rpms" --define "_dbpath $root/rpmdb" --define "__os_install_post %{nil}" --define "_build_id_links none" \
  --define "debug_package %{nil}" "$root/flotta-agent.spec" >"$root/rpmbuild.log" 2>&1 || { cat "$root/rpmbuild.log" >&2; exit 1; }
made=$(find "$root/rpms" -name '*.rpm')
expect .rpm "$(rpm -qplv "$made")"
rpm -qp --scripts "$made" | grep -q systemd-sysusers || { echo "package.sh: the .rpm does not make its user." >&2; exit 1; }
rpm -qpc "$made" | grep -qx /etc/flotta-agent/config.toml || { echo "package.sh: the .rpm takes its configuration for a file of its own." >&2; exit 1; }
cp "$made" out/
echo "out/${made##*/}"
