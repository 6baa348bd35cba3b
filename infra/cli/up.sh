#!/bin/bash
# Runs the cloud in the foreground until Ctrl-C.
#   ./cloud up [--data DIR] [--listen ADDRESS:PORT] [--hosts local|simulated:N|none] [--public ADDRESS/PREFIX] [--sample SECONDS] [--settings FILE] [--object-store DIR]... [--services NAME,...]
#
# local      a compute host on this machine: libvirtd of our own, sidecar and host agent, each a process (needs root)
# none       hosts on other machines only (docs/operating.md says how to add one)
# simulated  hosts that only remember what they were asked for, within the control plane's process
# --public   address of this machine on provider network "public", by which it reaches floating IPs itself
# --sample   how often the local host tells what its guests and floating IPs used; every 300 s when left out
# --settings what the operator sets, as JSON; docs/operating.md says what there is
# --object-store  a directory that keeps copies of objects; each should be on a disk of its own (three beside the rest when none is named)
# --services only these, by the beginnings of their paths: identity,object-store,s3 is object storage alone
#
# Hosts connect with AMQP on the port above the API's. Processes that die are started again. Ctrl-C leaves guests and
# their networks as they are, and the next start with the same DIR finds them; ./cloud down ends them too.
set -euo pipefail
. "$(dirname "$0")/common.sh"
dir=$PWD/.cloud listen=127.0.0.1:8774 hosts='' address='' settings='' sample=300 more=()
while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || die "$1 needs a value"
  case $1 in
    --data) dir=$2;; --listen) listen=$2;; --hosts) hosts=$2;; --public) address=$2;; --sample) sample=$2;; --settings) settings=$(readlink -m "$2");;
    --object-store|--services) more+=("$1" "$2");;
    *) die "unknown option $1; see ./cloud help";;
  esac
  shift 2
done
use_data "$dir"
[[ $listen =~ ^(.+):([0-9]+)$ ]] || die "--listen takes ADDRESS:PORT"
amqp=${BASH_REMATCH[1]}:$((BASH_REMATCH[2] + 1))
if [ -z "$hosts" ]; then
  hosts=local
  reason=$("$root/infra/cli/doctor.sh" --local) || die "guests can't run on this machine:
$reason
What can be done: put that right (./cloud doctor says more), or use simulated hosts: ./cloud up --hosts simulated:2"
fi
options=(up --data "$data" --listen "$listen" "${more[@]}")
[ -z "$settings" ] || options+=(--settings "$settings")
case $hosts in
  local) options+=(--amqp "$amqp" --host local); "$root/infra/cli/packages.sh" host; "$root/infra/cli/build.sh" cloud host sidecar;;
  simulated:*) options+=(--amqp "$amqp" --simulated "${hosts#*:}"); "$root/infra/cli/build.sh" cloud;;
  none) options+=(--amqp "$amqp"); "$root/infra/cli/build.sh" cloud;;
  *) die "--hosts takes local, simulated:N or none";;
esac

mkdir -p -m 700 "$data"
mkdir -p "$run" "$logs"
exec 8> "$run/lock"; flock -n 8 || die "a cloud runs on $data already (./cloud down --data $data ends it)"
rm -f "$run"/*.pid "$run/stopping" "$run/failed"
echo $$ > "$run/up.pid"
began=$EPOCHREALTIME

# Writes a process's output to its log; its line "ready" is for the terminal too.
relay() { # NAME
  trap '' INT TERM
  local line what
  while IFS= read -r line; do
    printf '%s\n' "$line"
    [[ $line == ready\ * && ! -e $run/stopping ]] || continue
    : > "$run/$1.ready"
    case $1 in
      cloud) what="ready http://$listen";;
      host) what='host local takes work';;
      *) continue;;
    esac
    printf '%s in %s\n' "$what" "$(seconds_since "$began")" >&7
  done >> "$logs/$1.log"
}

# Runs a program, and again whenever it ends.
keep() { # NAME COMMAND...
  local name=$1 pid pause=1 started; shift
  trap : INT TERM
  rm -f "$run/$name.ready"
  echo $BASHPID > "$run/keep-$name.pid"
  while [ ! -e "$run/stopping" ] && kill -0 $$ 2> /dev/null; do
    started=$SECONDS
    # A session of its own: Ctrl-C is for us, and we end things in order.
    setsid "$@" < /dev/null > >(relay "$name") 2>&1 8>&- & pid=$!
    echo $pid > "$run/$name.pid"
    while kill -0 $pid 2> /dev/null; do { wait $pid || true; } 2> /dev/null; done
    [ ! -e "$run/stopping" ] && kill -0 $$ 2> /dev/null || break
    if [ ! -e "$run/$name.ready" ] && [ "$name" = cloud ]; then
      : > "$run/failed"; kill $$; break
    fi
    if [ $((SECONDS - started)) -gt 10 ]; then pause=1; else pause=$((pause < 10 ? pause * 2 : 10)); fi
    say "$name ended and is started again in $pause s; its log: $logs/$name.log"
    sleep $pause
    began=$EPOCHREALTIME
  done
}

# libvirtd is a daemon; its guests outlive it.
keep_libvirtd() {
  trap : INT TERM
  local pid
  echo $BASHPID > "$run/keep-libvirtd.pid"
  while [ ! -e "$run/stopping" ] && kill -0 $$ 2> /dev/null; do
    pid=
    read -r pid 2> /dev/null < "$libvirt/run/libvirtd.pid" || true   # no newline at its end
    if [ -z "$pid" ] || ! kill -0 "$pid" 2> /dev/null; then
      CS_LIBVIRT_CACHE=$root/.cache/libvirt "$root/infra/host/libvirtd.sh" start "$libvirt" >> "$logs/libvirtd.log" 2>&1 8>&- 7>&- \
        || say "libvirtd does not start; its log: $logs/libvirtd.log"
    fi
    sleep 2
  done
}

stop() {
  trap '' INT TERM
  : > "$run/stopping"
  local name pid
  # Hosts first: what they are answering still reaches the control plane.
  for name in host sidecar cloud; do
    [ "$name" != cloud ] || [ "$hosts" != local ] || "$root/infra/host/libvirtd.sh" stop "$libvirt" || true
    if pid=$(alive "$run/$name.pid" "$data"); then end "$pid" 15; fi
  done
  rm -f "$run"/*.pid "$run"/*.ready
  local guests=0 file
  for file in "$libvirt"/run/qemu/*.pid; do if alive "$file" guest=cs- > /dev/null; then guests=$((guests + 1)); fi; done
  [ $guests = 0 ] || say "$guests guests go on, with their networks: ./cloud up finds them again, ./cloud down --data $data ends them"
}

exec 7>&1
trap 'exit 0' INT TERM
finish() {
  local code=$?
  stop
  [ -e "$run/failed" ] || exit $code
  rm -f "$run/failed"
  say "the control plane did not start:"
  tail -1 "$logs/cloud.log" | cut -c1-300 >&2
  exit 1
}
trap finish EXIT
touch "$logs"/{cloud,host,sidecar,libvirtd}.log
for log in "$logs"/*.log; do [ "$(stat -c %s "$log")" -lt 10000000 ] || mv -f "$log" "$log.1"; done

# At least 32 MiB between two collections: lists for many callers at once take a third less time. Only the environment can say it.
keep cloud env DOTNET_GCgen0size=0x2000000 "$(program cloud Cloud.Functions)" "${options[@]}" &
if [ "$hosts" = local ]; then
  [ -e "/sys/class/net/$public" ] || ip link add "$public" type bridge
  ip link set "$public" alias "cs:$owner:public/$data" up
  [ -z "$address" ] || ip address replace "$address" dev "$public"
  keep_libvirtd &
  keep sidecar "$(program sidecar Cloud.Agents.Sidecar)" --socket "$data/sidecar.sock" --uri "qemu+unix:///system?socket=$libvirt/run/libvirt-sock" &
  keep host "$(program host Cloud.Agents.Host)" --name local --data "$agent" --sidecar "$data/sidecar.sock" --control "amqp://$amqp" \
    --control-http "http://$listen" --credential-file "$data/host-local.secret" --physical "public=$public" --sample "$sample" &
fi
say "state, credentials and logs: $data"
wait || true
