#!/bin/bash
# Says what this machine can and can't do, by trying it, and what follows.  ./cloud doctor
# --local: prints only what keeps a compute host from running here, and fails if anything does.
set -euo pipefail
. "$(dirname "$0")/common.sh"
quiet=; [ "${1:-}" = --local ] && quiet=1
blocked=0
line() { [ -n "$quiet" ] || printf '%-4s %-28s %s\n' "$1" "$2" "$3"; }
# Needed: NAME COMMAND WHAT-FOLLOWS; a compute host can't do without.
need() {
  if eval "$2" > /dev/null 2>&1; then line yes "$1" ''; return; fi
  blocked=1
  if [ -n "$quiet" ]; then echo "  $1: $3"; else line NO "$1" "$3"; fi
}
# Wanted: NAME COMMAND IF-NOT [IF-SO]
want() { if eval "$2" > /dev/null 2>&1; then line yes "$1" "${4:-}"; else line no "$1" "$3"; fi }
# In a namespace of its own: nothing is left behind.
link() { unshare --net ip link add cs-try "$@"; }
module() { [ -e "/sys/module/$1" ] || grep -qs "/$1\.ko" "/lib/modules/$(uname -r)/modules.builtin" || modprobe -n "$1"; }

need 'root' '[ "$(id -u)" = 0 ]' 'a compute host makes bridges and namespaces: run as root'
need '64-bit x86' '[ "$(uname -m)" = x86_64 ]' 'guests are x86: use another machine'
need 'mount namespaces' 'unshare --mount --uts true' 'libvirtd of our own needs them: allow CAP_SYS_ADMIN'
need 'network namespaces' 'unshare --net true' 'routers and DHCP need them: allow CAP_SYS_ADMIN'
if command -v ip > /dev/null; then   # else the packages below bring it
  need 'bridges' 'link type bridge' 'kernel module bridge is missing'
  need 'veth pairs' 'link type veth peer name cs-try2' 'kernel module veth is missing'
  need 'taps' 'unshare --net ip tuntap add cs-try mode tap' 'kernel module tun or /dev/net/tun is missing'
  want 'VXLAN' 'link type vxlan id 1 dstport 4789' 'networks can not span hosts: kernel module vxlan is missing'
fi
if command -v nft > /dev/null; then need 'nftables' 'unshare --net nft add table inet cs_try' 'security groups need kernel module nf_tables'; fi
need 'bridge filter' '[ -e /proc/sys/net/bridge ] || modprobe br_netfilter' 'security groups need kernel module br_netfilter'
[ -z "$quiet" ] || exit $blocked

want 'nested namespaces' 'unshare --net unshare --net true' 'several hosts can not be tried on this machine'
"$root/infra/cli/build.sh" sidecar
if [ "$("$(program sidecar Cloud.Agents.Sidecar)" --kvm)" = kvm ]; then
  line yes KVM 'a virtual CPU ran at the speed of hardware'
elif [ -e /dev/kvm ]; then line no KVM '/dev/kvm is there, but a virtual CPU is slow on it: guests run by emulation (TCG), some 10 times slower'
else line no KVM 'no /dev/kvm: guests run by emulation (TCG), some 10 times slower'
fi
for purpose in host guest client demo; do
  gone=$("$root/infra/cli/packages.sh" --missing $purpose | tr '\n' ' ')
  case $purpose in host) use='./cloud up';; demo) use='./cloud demo';; guest) use='the test image';; client) use='the openstack command';; esac
  if [ -z "$gone" ]; then line yes "packages: $purpose" "$use"; else line no "packages: $purpose" "$use will install: $gone"; fi
done
want '.NET 10 SDK' "dotnet --version | grep '^10\.'" 'install it: https://dotnet.microsoft.com/download' "$(dotnet --version 2> /dev/null || true)"
for name in cloud host sidecar demo; do want "built: $name" "[ -e '$built/$name' ]" 'built at the first start, about a minute'; done
memory=$(awk '/MemAvailable/ {print int($2 / 1024)}' /proc/meminfo)
want 'memory for guests' "[ $memory -ge 1024 ]" "only $memory MiB are free: a small guest takes 200" "$memory MiB free: about $((memory / 200)) small guests"
free=$(df -Pm "$root" | awk 'NR == 2 {print $4}')
want 'disk' "[ $free -ge 2048 ]" "only $free MiB are free in $root" "$free MiB free"
[ $blocked = 0 ] && echo 'A compute host can run here: ./cloud up' || echo 'No compute host can run here; simulated ones can: ./cloud up --hosts simulated:2'
