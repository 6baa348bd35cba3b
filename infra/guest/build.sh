#!/bin/bash
# Builds a tiny cloud image from Debian 12's packages: OUTDIR/tiny.qcow2 (17 MB, boots by BIOS and UEFI, about 15 s under TCG).
#
#   build.sh OUTDIR      at once when OUTDIR holds an image of these scripts and package versions
#
# Nothing is installed on this machine; no loop device, mount or chroot. Also leaves vmlinuz and initrd.gz, for
# booting the same disk without firmware (append root=LABEL=tiny-root). Run as root: the image keeps the files' owners.
# Needs: dpkg-deb cpio gzip mke2fs (e2fsprogs) mtools dosfstools openssl qemu-img (qemu-utils) depmod (kmod) readelf (binutils)
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
[ $# = 1 ] || { sed -n '2,/^set/{s/^# \{0,1\}//;/^set/d;p}' "$0" >&2; exit 2; }
mkdir -p "$1"; out=$(readlink -f "$1"); debs=${CS_GUEST_PACKAGES:-$out/packages}

# ---- which packages, and whether there is anything to do
kernel_of() { apt-cache depends linux-image-cloud-amd64 2>/dev/null | awk '/Depends: linux-image/{print $2}' | head -1; }
kernel=$(kernel_of)
[ -n "$kernel" ] || { apt-get -q update >&2; kernel=$(kernel_of); }
[ -n "$kernel" ] || { echo "build.sh: no package linux-image-cloud-amd64: Debian's package lists are needed" >&2; exit 1; }
names="$kernel busybox-static busybox dropbear-bin libtomcrypt1 libtommath1 libgmp10 libc6 libcrypt1 zlib1g e2fsprogs libext2fs2
  libcom-err2 libblkid1 libuuid1 syslinux syslinux-common systemd-boot-efi wide-dhcpv6-client libfl2"
# shellcheck disable=SC2086
versions=$(LC_ALL=C apt-cache policy $names | awk '/^[^ ]/{sub(":$","");n=$1} $1=="Candidate:"{print n"="$2}')
key=$({ echo "$versions"; cd "$here"; find . -type f | sort | xargs sha256sum; } | sha256sum | cut -d' ' -f1)
if [ -s "$out/tiny.qcow2" ] && [ "$(cat "$out/key" 2>/dev/null)" = "$key" ]; then echo "$out/tiny.qcow2"; exit 0; fi
rm -f "$out/key"

for tool in dpkg-deb cpio mke2fs mmd mkfs.fat openssl qemu-img depmod readelf; do
  command -v $tool > /dev/null || { echo "build.sh: $tool is missing" >&2; exit 1; }
done
work=$(mktemp -d "${TMPDIR:-/tmp}/cs-guest.XXXXXX"); trap 'rm -rf "$work"' EXIT
x=$work/x   # the packages' files
mkdir -p "$debs" "$x"
for package in $versions; do
  # apt's file name: epoch colon escaped
  name=${package%%=*} version=${package#*=}; file=$(echo "$debs/${name}_${version//:/%3a}"_*.deb)
  [ -s "$file" ] || (cd "$debs" && apt-get -q -o APT::Sandbox::User=root download "$package" >&2)
  file=$(echo "$debs/${name}_${version//:/%3a}"_*.deb)
  if [ "$name" = busybox ]; then dpkg-deb -x "$file" "$work/dynamic"; else dpkg-deb -x "$file" "$x"; fi
done
kver=${kernel#linux-image-} libs=lib/x86_64-linux-gnu
depmod -b "$x" "$kver"

copy_modules() { # ROOT MODULE...: with what they depend on
  local root=$1 module file; shift
  for module; do
    modprobe -d "$x" -S "$kver" --show-depends "$module" 2>/dev/null | awk '/^insmod/{print $2}' | while read -r file; do
      install -D -m 644 "$file" "$root/lib/modules/${file#*lib/modules/}"
    done
  done
  cp "$x/lib/modules/$kver"/modules.{order,builtin,builtin.modinfo} "$root/lib/modules/$kver/"
  depmod -b "$root" "$kver"
  rm -f "$root/lib/modules/$kver"/{modules.builtin.modinfo,*.bin}
}
skeleton() { mkdir -p "$1"/{bin,sbin,usr/bin,usr/sbin,proc,sys,dev,etc,tmp,run}; }

# ---- initramfs
initrd=$work/initrd
skeleton "$initrd"; cp "$x/bin/busybox" "$initrd/bin/"; install -m 755 "$here/initrd/init" "$initrd/init"
copy_modules "$initrd" virtio_pci virtio_mmio virtio_blk virtio_scsi sd_mod
(cd "$initrd"; find . | cpio -o -H newc --quiet | gzip -9) > "$out/initrd.gz"

# ---- root file system
root=$work/root
skeleton "$root"
mkdir -p "$root"/{root/.ssh,home/cirros/.ssh,var/log,var/lib/cloud,var/lib/dhcpv6,var/www/cgi-bin,etc/dropbear,mnt,media/config,"$libs",lib64}
# The dynamic busybox resolves names (NSS); the static one has what Debian's dynamic build breaks or lacks.
cp "$work/dynamic/bin/busybox" "$root/bin/busybox"; cp "$x/bin/busybox" "$root/bin/busybox.static"
for applet in $("$work/dynamic/bin/busybox" --list-full); do
  mkdir -p "$root/$(dirname "$applet")"
  [ -e "$root/$applet" ] || [ -L "$root/$applet" ] || ln -s /bin/busybox "$root/$applet"
done
for applet in usr/bin/passwd bin/su sbin/blkid; do ln -sf /bin/busybox.static "$root/$applet"; done
copy_modules "$root" virtio_net virtio_balloon virtio-rng virtio_scsi sd_mod sr_mod isofs ata_piix button evdev \
  vfat nls_cp437 nls_ascii nls_iso8859-1 nls_utf8 8021q
cp -L "$x/$libs/ld-linux-x86-64.so.2" "$root/lib64/"
for lib in libc.so.6 libresolv.so.2 libcrypt.so.1 libz.so.1 libtomcrypt.so.1 libtommath.so.1 libgmp.so.10 libext2fs.so.2 libe2p.so.2 \
    libcom_err.so.2 libblkid.so.1 libuuid.so.1 libnss_files.so.2 libfl.so.2; do
  cp -L "$(find "$x/lib" "$x/usr/lib" -name "$lib" | head -1)" "$root/$libs/$lib"
done
cp "$x/usr/sbin/dropbear" "$x/usr/sbin/dhcp6c" "$root/usr/sbin/"
cp "$x/usr/bin/dropbearkey" "$x/usr/bin/dbclient" "$root/usr/bin/"; [ -e "$root/usr/bin/ssh" ] || ln -s dbclient "$root/usr/bin/ssh"
rm -f "$root"/sbin/{mke2fs,mkfs.ext2}; cp "$x/sbin/resize2fs" "$x/sbin/mke2fs" "$root/sbin/"
for fs in ext2 ext3 ext4; do ln -sf mke2fs "$root/sbin/mkfs.$fs"; done
cp "$x/etc/mke2fs.conf" "$root/etc/"
for program in bin/busybox usr/sbin/dropbear usr/sbin/dhcp6c usr/bin/dropbearkey sbin/resize2fs sbin/mke2fs; do
  for lib in $(readelf -d "$root/$program" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p'); do
    [ -e "$root/$libs/$lib" ] || [ -e "$root/lib64/$lib" ] || { echo "build.sh: $program needs $lib" >&2; exit 1; }
  done
done
cp -r "$here/root/." "$root/"
# A login for the console that everybody knows from the usual test image; ssh should use the key pair.
password=$(openssl passwd -6 -salt tinysalt gocubsgo)
printf 'root:x:0:0:root:/root:/bin/sh\ncirros:x:0:0:cirros:/home/cirros:/bin/sh\n' > "$root/etc/passwd"
printf 'root:x:0:\n' > "$root/etc/group"
printf 'root:*:19000:0:99999:7:::\ncirros:%s:19000:0:99999:7:::\n' "$password" > "$root/etc/shadow"
printf '/bin/sh\n' > "$root/etc/shells"; printf '127.0.0.1 localhost\n' > "$root/etc/hosts"; echo tiny > "$root/etc/hostname"
ln -sf /proc/mounts "$root/etc/mtab"; : > "$root/etc/resolv.conf"
printf '\\n login with cirros / gocubsgo, or the key pair\n' > "$root/etc/issue"
chmod 755 "$root"/etc/{rc,rc.net,rc.stop,hotnic,hotdisk,nicup,nicup6,udhcpc.script,acpi/PWRF/00000080} "$root/usr/bin/sudo"
chmod 700 "$root/root" "$root/root/.ssh" "$root/home/cirros/.ssh"; chmod 600 "$root/etc/shadow"
chown -R 0:0 "$root"

# ---- disk: MBR | FAT16 (syslinux, systemd-boot) | ext4; sectors of 512 bytes
cp "$x/boot/vmlinuz-$kver" "$out/vmlinuz"
esp_at=2048 esp=$((24*2048)) ext4=$((22*2048)) image=$work/disk.raw fat=$work/fat.img
truncate -s $(((esp_at+esp+ext4)*512)) "$image"; truncate -s $((esp*512)) "$fat"
mkfs.fat -F16 -h $esp_at -n TINYBOOT "$fat" > /dev/null
# Quick under TCG: no mitigations, no self-tests of timers, entropy from the CPU, no audit.
append="console=tty0 console=ttyS0,115200 quiet mitigations=off nokaslr audit=0 no_timer_check random.trust_cpu=on 8250.nr_uarts=1"
printf 'DEFAULT l\nPROMPT 0\nTIMEOUT 0\nLABEL l\n LINUX /vmlinuz\n INITRD /initrd.gz\n APPEND %s\n' "$append" > "$work/syslinux.cfg"
printf 'timeout 0\ndefault tiny\n' > "$work/loader.conf"
printf 'title tiny\nlinux /vmlinuz\ninitrd /initrd.gz\noptions %s\n' "$append" > "$work/tiny.conf"
export MTOOLS_SKIP_CHECK=1
mmd -i "$fat" ::/EFI ::/EFI/BOOT ::/loader ::/loader/entries
mcopy -i "$fat" "$out/vmlinuz" "$out/initrd.gz" "$work/syslinux.cfg" ::/
mcopy -i "$fat" "$x/usr/lib/systemd/boot/efi/systemd-bootx64.efi" ::/EFI/BOOT/BOOTX64.EFI
mcopy -i "$fat" "$work/loader.conf" ::/loader/; mcopy -i "$fat" "$work/tiny.conf" ::/loader/entries/
"$x/usr/bin/syslinux" --install "$fat"
mke2fs -q -t ext4 -L tiny-root -b 1024 -E resize=8388608,lazy_itable_init=1,lazy_journal_init=1 -J size=1 \
  -d "$root" "$work/root.img" $((ext4/2)) > /dev/null
write() { dd of="$image" bs="$1" seek="$2" conv=notrunc,sparse status=none; }
le32() { printf '\\x%02x\\x%02x\\x%02x\\x%02x' $(($1&255)) $(($1>>8&255)) $(($1>>16&255)) $(($1>>24&255)); }
entry() { printf '%b' "\\x$1\\xfe\\xff\\xff\\x$2\\xfe\\xff\\xff$(le32 "$3")$(le32 "$4")"; }   # ACTIVE TYPE START SECTORS
write 440 0 < "$x/usr/lib/syslinux/mbr/mbr.bin"
{ printf 'TINY\0\0'; entry 80 ef $esp_at $esp; entry 00 83 $((esp_at+esp)) $ext4; head -c 32 /dev/zero; printf '\x55\xaa'; } \
  | dd of="$image" bs=1 seek=440 conv=notrunc status=none
write 1M 1 < "$fat"; write 1M $((1+24)) < "$work/root.img"
# By renaming: running guests keep the file they have open.
qemu-img convert -c -O qcow2 "$image" "$out/.tiny.new"; mv -f "$out/.tiny.new" "$out/tiny.qcow2"
echo "$key" > "$out/key"
echo "$out/tiny.qcow2"
