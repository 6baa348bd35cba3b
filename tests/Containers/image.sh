#!/bin/bash
# Packs the root of a container out of what this machine has, for docker import: there is no registry to have one from.
#   image.sh FILE.tar PATH...    files and folders; programs bring the libraries they are linked with
set -euo pipefail
out=$1; shift
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root"/{etc,proc,sys,dev,run,root,data,usr/{bin,sbin,lib,lib64,share},var/{lib,log}}
chmod 755 "$root"
mkdir -m 1777 "$root"/{tmp,var/tmp}
for d in bin sbin lib lib64; do ln -s "usr/$d" "$root/$d"; done
printf 'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n' > "$root/etc/passwd"
printf 'root:x:0:\nnogroup:x:65534:\n' > "$root/etc/group"
echo 'hosts: files dns' > "$root/etc/nsswitch.conf"

# Here /lib is /usr/lib, and so it is there.
usr() { sed -E 's#^/(bin|sbin|lib|lib64)/#/usr/\1/#'; }
mapfile -t paths < <(printf '%s\n' "$@" | usr)
for p in "${paths[@]}"; do [ -e "$p" ] || { echo "missing: $p" >&2; exit 1; }; done
mapfile -t linked < <(find -L "${paths[@]}" -type f \( -perm /111 -o -name '*.so*' \) -exec ldd {} + 2> /dev/null | grep -oE '/[^ ():]+\.so[^ ():]*' | sort -u | usr)
# What is a link comes with what it leads to.
{ printf '%s\n' "${paths[@]}" "${linked[@]}"; readlink -f "${paths[@]}" "${linked[@]}"; } | usr | sort -u | sed 's#^/##' | tar -cf - -C / -T - | tar -xf - -C "$root"
mkdir -p "$(dirname "$out")"
tar -cf "$out.new" -C "$root" .
mv "$out.new" "$out"
