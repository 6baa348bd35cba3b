#!/bin/bash
# A private libvirtd for one compute host without systemd: demos, tests, several hosts on one machine.
#
#   libvirtd.sh start DIR [NETNS]     prints the URI for clients when it answers; a no-op when it runs already
#   libvirtd.sh stop DIR [--guests]   guests keep running, and the next start on the same DIR adopts them;
#                                     --guests powers them off first
#
# Everything it writes lives below DIR (an absolute path, at most 80 characters): own configuration, state and
# socket in a mount namespace, so it never meets a libvirtd of the system. The URI is
#   qemu+unix:///system?socket=DIR/run/libvirt-sock
# Needs root. CS_LIBVIRT_CACHE=DIRECTORY shares the probed qemu capabilities between hosts: a first start
# without it spends several seconds on probing.
set -euo pipefail
here=$(readlink -f "$0")

usage() { sed -n '2,/^set/{s/^# \{0,1\}//;/^set/d;p}' "$here" >&2; exit 2; }
[ $# -ge 2 ] || usage
action=$1 dir=$2
case $dir in /*) ;; *) echo "libvirtd.sh: DIR must be absolute: $dir" >&2; exit 2;; esac
# A unix socket's path holds 107 bytes.
[ ${#dir} -le 80 ] || { echo "libvirtd.sh: DIR is longer than 80 characters: $dir" >&2; exit 2; }
uri="qemu+unix:///system?socket=$dir/run/libvirt-sock"

# A pid file may be stale and its number reused: believe it only when the process is what we started.
running() { # PIDFILE WORD -> prints the pid
  local pid; pid=$(cat "$1" 2>/dev/null) || return 1
  [ -n "$pid" ] && tr '\0' ' ' 2>/dev/null < "/proc/$pid/cmdline" | grep -qF -- "$2" && echo "$pid"
}

answers() { timeout 30 virsh -q -c "$uri" uri > /dev/null 2>&1; }

daemon() { running "$dir/run/libvirtd.pid" "$dir/etc/libvirtd.conf"; }

end() { # PID SECONDS: asks, waits, then kills
  kill "$1" 2>/dev/null || return 0
  for _ in $(seq $(($2 * 10))); do kill -0 "$1" 2>/dev/null || return 0; sleep 0.1; done
  kill -9 "$1" 2>/dev/null || true
  for _ in $(seq 50); do kill -0 "$1" 2>/dev/null || return 0; sleep 0.1; done
  echo "libvirtd.sh: process $1 does not end" >&2; return 1
}

configure() {
  mkdir -p "$dir"/{etc/qemu,run,lib,cache,log}
  # The host's identity must survive restarts.
  [ -s "$dir/etc/host_uuid" ] || cat /proc/sys/kernel/random/uuid > "$dir/etc/host_uuid"
  cat > "$dir/etc/libvirtd.conf" <<E
auth_unix_ro = "none"
auth_unix_rw = "none"
unix_sock_ro_perms = "0700"
unix_sock_rw_perms = "0700"
host_uuid = "$(cat "$dir/etc/host_uuid")"
E
  # Without systemd there is neither cgroup delegation nor virtlogd (stdio_handler), inside a container
  # neither AppArmor nor private /dev (namespaces). A real host keeps its distribution's qemu.conf.
  cat > "$dir/etc/qemu.conf" <<'E'
security_driver = "none"
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
cgroup_controllers = [ ]
namespaces = [ ]
stdio_handler = "file"
seccomp_sandbox = 0
E
}

# A libvirtd that is killed while it probes qemu leaves the probe running.
end_probes() {
  local file pid
  for file in "$dir"/lib/qemu/qmp-*/qmp.pid; do
    pid=$(running "$file" "-machine none") && end "$pid" 2
  done
  return 0
}

start() {
  local netns=${1:-} cache=${CS_LIBVIRT_CACHE:-$dir/cache}
  if [ -n "$(daemon)" ] && answers; then echo "$uri"; return 0; fi
  [ -z "$(daemon)" ] || stop   # deaf: its guests outlive it
  configure; end_probes
  mkdir -p "$cache"
  rm -f "$dir/run/libvirtd.pid"
  # The mount namespace gives this daemon its own /etc, /run and /var directories at the places libvirt has
  # compiled in; the host name of its own lets two daemons of one machine migrate guests to each other.
  # shellcheck disable=SC2016
  setsid ${netns:+ip netns exec "$netns"} unshare --mount --uts bash -c '
    set -e; dir=$1 cache=$2
    hostname "$(basename "$dir")"
    mount --make-rslave /   # mounts made later on the host still appear here, ours never there
    bind() { mkdir -p "$2"; mount --bind "$1" "$2"; }
    bind "$dir/etc" /etc/libvirt; bind "$dir/run" /run/libvirt; bind "$dir/lib" /var/lib/libvirt
    bind "$cache" /var/cache/libvirt; bind "$dir/log" /var/log/libvirt
    exec libvirtd --config "$dir/etc/libvirtd.conf" --pid-file "$dir/run/libvirtd.pid"
  ' libvirtd.sh "$dir" "$cache" < /dev/null > "$dir/log/libvirtd.out" 2>&1 &
  local child=$!
  for _ in $(seq 600); do
    if [ -n "$(daemon)" ] && answers; then echo "$uri"; return 0; fi
    kill -0 $child 2>/dev/null || break
    sleep 0.1
  done
  echo "libvirtd.sh: libvirtd in $dir did not answer" >&2; tail -5 "$dir/log/libvirtd.out" >&2
  stop || true
  return 1
}

destroy_guests() {
  local file pid name
  if [ -n "$(daemon)" ]; then
    for name in $(timeout 20 virsh -q -c "$uri" list --name 2>/dev/null); do
      timeout 30 virsh -q -c "$uri" destroy "$name" > /dev/null 2>&1 || true
    done
  fi
  # Guests outlive libvirtd: those of a dead or deaf one are found by their pid files.
  for file in "$dir"/run/qemu/*.pid; do
    name=$(basename "$file" .pid)
    pid=$(running "$file" "guest=$name,") && end "$pid" 5
  done
  return 0
}

stop() {
  local pid
  [ "${1:-}" != --guests ] || destroy_guests
  pid=$(daemon) && end "$pid" 15
  end_probes
}

case $action in
  start) start "${3:-}";;
  stop) stop "${3:-}";;
  *) usage;;
esac
