#!/bin/bash
# Docker for one run of the tests:  daemon.sh DIR BRIDGE ADDRESS/PREFIX
# Says "ready" when it answers on DIR/docker.sock, and goes on until its input ends: with whoever started it, however that ends.
# Nothing of the machine's is changed but for one bridge: no rules of a firewall, no forwarding. So containers are reached by ports of the loopback only.
set -uo pipefail
dir=$1 bridge=$2 address=$3
ours() { grep -lsF -- "$dir/" /proc/[0-9]*/cmdline 2> /dev/null | cut -d/ -f3 | grep -vx $$; }

clean() {
  trap '' INT TERM HUP
  # Not by the daemon's own ending, which leaves those that don't listen.
  docker --host "unix://$dir/docker.sock" ps --all --quiet 2> /dev/null | timeout 30 xargs -r docker --host "unix://$dir/docker.sock" rm --force > /dev/null 2>&1
  [ -z "${pid:-}" ] || { kill "$pid"; timeout 30 tail --pid="$pid" -f /dev/null; } 2> /dev/null
  local i p
  for i in 1 2 3; do for p in $(ours); do [ "$i" = 1 ] || kill -9 "$p" 2> /dev/null; done; [ -z "$(ours)" ] || sleep 0.5; done
  for p in $(cut -d' ' -f2 /proc/self/mounts | grep -F "$dir/" | sort -r); do umount -l "$p"; done
  for p in $(ip -o link show master "$bridge" 2> /dev/null | sed -E 's/^[0-9]+: ([^:@]+).*/\1/'); do ip link delete "$p"; done
  ip link delete "$bridge" 2> /dev/null
  rm -rf "$dir"
}
trap clean EXIT
trap 'exit 1' INT TERM HUP

mkdir -p "$dir"; echo "{}" > "$dir/docker.json"   # not the machine's own settings
ip link add "$bridge" type bridge && ip address add "$address" dev "$bridge" && ip link set "$bridge" up || exit 1
dockerd --host "unix://$dir/docker.sock" --data-root "$dir/data" --exec-root "$dir/run" --pidfile "$dir/docker.pid" --config-file "$dir/docker.json" --bridge "$bridge" \
  --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false --shutdown-timeout 3 < /dev/null > "$dir/log" 2>&1 & pid=$!
for _ in $(seq 600); do
  docker --host "unix://$dir/docker.sock" version > /dev/null 2>&1 && break
  kill -0 $pid 2> /dev/null || break
  sleep 0.1
done
docker --host "unix://$dir/docker.sock" version > /dev/null 2>&1 || { tail -5 "$dir/log"; exit 1; }
echo ready
cat > /dev/null
