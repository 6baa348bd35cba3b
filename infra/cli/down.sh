#!/bin/bash
# Ends everything of one state directory; the directory stays.  ./cloud down [--data DIR] [--keep-guests]
# With --keep-guests, guests and their networks go on as after Ctrl-C.
set -euo pipefail
. "$(dirname "$0")/common.sh"
dir=$PWD/.cloud keep=
while [ $# -gt 0 ]; do
  case $1 in
    --data) dir=${2:?--data needs a value}; shift 2;;
    --keep-guests) keep=1; shift;;
    *) die "unknown option $1; see ./cloud help";;
  esac
done
use_data "$dir"
[ -d "$run" ] || { say "no cloud ran on $data"; exit 0; }

if pid=$(alive "$run/up.pid" up.sh); then end "$pid" 60; fi
# What is left when the supervisor itself was killed: those who would start things again first.
for file in "$run"/keep-*.pid; do if pid=$(alive "$file" "$data"); then kill -9 "$pid"; fi; done
for name in host sidecar cloud; do if pid=$(alive "$run/$name.pid" "$data"); then end "$pid" 15; fi; done
rm -f "$run"/*.pid "$run"/*.ready
if [ -d "$libvirt" ]; then "$root/infra/host/libvirtd.sh" stop "$libvirt" ${keep:+""} ${keep:---guests}; fi
[ -z "$keep" ] || exit 0

# The agent's marks on what it made: file names, interface aliases, table names. It makes all of it again at the next start.
mkdir -p "$agent/networks/ns"
find "$agent/networks" -name '*.pid' | while read -r file; do
  if pid=$(alive "$file" "$agent"); then end "$pid" 2; fi
done
find "$agent/networks/ns" -type f | while read -r file; do umount "$file" 2> /dev/null || true; rm -f "$file"; done
ip -o link | sed -nE "s/^[0-9]+: ([^:@]+)[:@].*alias cs:$owner:.*/\1/p" | while read -r link; do ip link del "$link" 2> /dev/null || true; done
nft list tables 2> /dev/null | awk -v t="cs_$owner" '$3 == t {print $2, $3}' | while read -r family table; do nft delete table "$family" "$table"; done
