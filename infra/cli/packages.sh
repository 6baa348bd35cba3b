#!/bin/bash
# Installs the Debian packages that a purpose needs: the one place where that happens.  infra/cli/packages.sh PURPOSE...
# Says which and why; quick and silent when all are there. --missing only prints the names.
set -euo pipefail
. "$(dirname "$0")/common.sh"
needs() { cat << 'T'
host    qemu-system-x86        runs guests
host    qemu-utils             makes and grows their disks
host    seabios                their firmware
host    libvirt-daemon-system  keeps guests running and their hardware changeable
host    libvirt-clients        asks whether libvirtd answers
host    libvirt0               the library that the sidecar speaks to libvirt with
host    dnsmasq-base           DHCP and names on tenants' networks
host    iproute2               bridges, taps, tunnels, namespaces
host    nftables               security groups, routers' address translation
host    conntrack              ends sessions that a rule no longer allows
host    kmod                   loads kernel modules
guest   binutils               checks that programs find their libraries
guest   cpio                   packs the initramfs
guest   dosfstools             makes the boot partition
guest   e2fsprogs              makes the root file system
guest   kmod                   picks kernel modules
guest   mtools                 fills the boot partition
guest   openssl                hashes the console password
guest   qemu-utils             packs the image
client  python3-openstackclient  the openstack command
demo    openssh-client         logs in to guests
demo    iputils-ping           pings them
demo    socat                  tries ports and listens on them
slow    gcc                    builds what stands between a program and its disk
slow    libc6-dev              headers for it
swift   swift-proxy            the Swift that object storage is measured beside
swift   swift-account          its accounts
swift   swift-container        its containers
swift   swift-object           its objects
swift   memcached              what it remembers
test    busybox                plays guests that ask for their address
test    docker.io              containers of brokers and hosts that are killed
test    nodejs                 runs the JavaScript sample of docs/webhooks.md
test    python3-openstacksdk  prepares OpenStack's own tests
test    tempest        OpenStack's own tests
test    procps                 kills what is tested, and reads what the kernel is set to
test    strace                 looks which calls a confined process makes
test    systemd                checks its units; the package alone starts nothing
test    python3-aodhclient     defines alarms, as openstack alarm
test    python3-gnocchiclient  reads metrics, as openstack metric
test    python3-swiftclient    uploads in segments, and signs addresses
test    python3-cloudkittyclient  sets prices and reads bills
broker  rabbitmq-server  plays the broker that messages go through on Azure
test    rabbitmq-server  plays the broker that messages go through on Azure
test    rclone                 copies trees by Swift and S3
test    restic                 keeps backups in containers
test    s3cmd                  speaks S3
T
}
missing() {
  local wanted
  wanted=$(needs | awk -v purposes=" $* " 'index(purposes, " " $1 " ") {print $2}' | sort -u)
  # shellcheck disable=SC2086
  comm -23 <(echo "$wanted") <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $wanted 2> /dev/null | sed -n 's/^installed //p' | sort -u)
}
if [ "${1:-}" = --missing ]; then missing "${@:2}"; exit 0; fi
gone=$(missing "$@")
[ -n "$gone" ] || exit 0
say "needed from Debian:"
for package in $gone; do needs | awk -v p="$package" -v purposes=" $* " '$2 == p && index(purposes, " " $1 " ") {$1 = ""; print " " $0; exit}' >&2; done
command -v apt-get > /dev/null || die "this is not Debian: install what is called so here"
[ "$(id -u)" = 0 ] || die "install them as root: apt-get install --no-install-recommends" $gone
log=$(mktemp)
# Debian would start libvirtd and the like for the whole system; ours are private.
install() { # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -q install -y --no-install-recommends $gone > "$log" 2>&1; }
say "installing ..."
install || { apt-get -q update >> "$log" 2>&1; install; } || { tail -5 "$log" >&2; die "apt-get failed; all of it: $log"; }
rm -f "$log"
