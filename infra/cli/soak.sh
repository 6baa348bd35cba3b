#!/bin/bash
# Kills the real processes at random while clients work, then looks whether anything is stuck, leaked or lost.
#   ./cloud soak [--kills N] [--seed N] [--clients N] [--hosts N] [--data DIR]
set -euo pipefail
. "$(dirname "$0")/common.sh"
cd "$root"
dotnet build tests/Soak -v q --nologo -c Debug > /tmp/cs-soak-build.$$ 2>&1 || { tail -20 /tmp/cs-soak-build.$$; rm -f /tmp/cs-soak-build.$$; die "the build failed"; }
rm -f /tmp/cs-soak-build.$$
exec tests/Soak/bin/Debug/net10.0/linux-x64/Cloud.Soak "$@"
