#!/bin/bash
set -euo pipefail
data=$PWD/.cloud; [ "${1:-}" = --data ] && data=$(readlink -m "$2")
pid=$(cat "$data/pid")
grep -qz Cloud.Functions "/proc/$pid/cmdline" && kill "$pid" || { echo "no cloud runs on $data" >&2; exit 1; }
while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
