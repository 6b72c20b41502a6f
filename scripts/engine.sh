# The sample device's own podman: images, containers and networks apart from those of the machine. Sourced; needs $home.

engine_run=/run/flotta-$(printf '%s' "$home" | cksum | cut -d' ' -f1)
[[ -w /run ]] || engine_run=${XDG_RUNTIME_DIR:-/tmp}/$(basename "$engine_run")
engine_socket=$engine_run/podman.sock
engine=(--root "$home/podman/storage" --runroot "$engine_run/run" --tmpdir "$engine_run/tmp" --network-config-dir "$home/podman/networks")
export CONTAINERS_CONF=$home/podman/containers.conf

# What this machine lacks is worked around here and nowhere else: cgroups v1 (crun wants v2), no systemd, no right to raise limits.
engine_configure() {
  local runtime=runc cgroups=cgroupfs limits=""
  [[ $(stat -f -c %T /sys/fs/cgroup 2>/dev/null) == cgroup2fs ]] && command -v crun >/dev/null && runtime=crun
  [[ -d /run/systemd/system ]] && cgroups=systemd
  # CAP_SYS_RESOURCE is bit 24 of the effective set.
  (((0x$(awk '/^CapEff/ {print $2}' /proc/self/status) >> 24) & 1)) || limits='default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]'
  cat >"$CONTAINERS_CONF" <<CONF
[containers]
$limits
[engine]
runtime = "$runtime"
cgroup_manager = "$cgroups"
events_logger = "file"
CONF
}

engine_make_image() {
  podman "${engine[@]}" image exists localhost/flotta-hello:1 && return
  local folder
  folder=$(mktemp -d)
  mkdir -p "$folder"/{bin,www}
  cp "$(command -v busybox)" "$folder/bin/busybox"
  ln -s busybox "$folder/bin/sh"
  ln -s busybox "$folder/bin/httpd"
  echo "Hello from a device that Flotta looks after." >"$folder/www/index.html"
  tar c -C "$folder" --owner 0 --group 0 . | podman "${engine[@]}" import - localhost/flotta-hello:1
  local code=$?
  rm -rf "$folder"
  return $code
}
