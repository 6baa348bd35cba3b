#!/bin/bash
# Kills the real processes at random while clients work, then looks whether anything is stuck, leaked or lost.
#   ./cloud soak [--real] [--kills N] [--seed N] [--clients N] [--hosts N] [--data DIR]
# --real  real guests on a real host of this machine; host agent, sidecar and libvirtd are among the victims (needs root)
set -euo pipefail
. "$(dirname "$0")/common.sh"
cd "$root"
options=()
for option; do
  if [ "$option" = --real ]; then
    "$root/infra/cli/packages.sh" host guest
    options+=(--image "$("$root/infra/guest/build.sh" "$root/.cache/guest" | tail -1)" --clients 2)
  else options+=("$option")
  fi
done
log=$(mktemp)
dotnet build tests/Soak -v q --nologo -c Debug > "$log" 2>&1 || { tail -20 "$log" >&2; rm -f "$log"; die "the build failed"; }
rm -f "$log"
CS_ROOT=$root exec tests/Soak/bin/Debug/net10.0/linux-x64/Cloud.Soak "${options[@]}"
