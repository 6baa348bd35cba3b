#!/bin/bash
# Kills the real processes at random while clients work, then looks whether anything is stuck, leaked or lost.
#   ./cloud soak [--real] [--kills N] [--seed N] [--clients N] [--hosts N] [--data DIR]
#   ./cloud soak --disk full [--away SECONDS] ...     the control plane's disk is small, and full now and then (needs root)
#   ./cloud soak --disk slow ...     every sync takes long (needs gcc)
#   ./cloud soak --on functions [--every N] ...     the control plane is a function app without state of its own on Azurite and RabbitMQ, behind a Functions host that we play; the broker is killed too
#   ./cloud soak --bills N
# --bills N random half years of events that come late, twice and in any order to a process that dies, against what really was
#   ./cloud soak --seeds N [--from SEED]
# --seeds simulated clouds, one for each number, in one process and on clocks of their own; CS_TRACE=DIR writes down what happened in each
#   ./cloud soak --fuzz N [--from SEED]
# --fuzz  N spoilt requests for each route, and ten times as many bodies for each parser
#   ./cloud soak --model N [--from SEED]
# --model N random sequences of requests, answers and lists compared with those of a small model after each
# --real  real guests on a real host of this machine; host agent, sidecar and libvirtd are among the victims (needs root)
set -euo pipefail
. "$(dirname "$0")/common.sh"
cd "$root"
build() { # PROJECT
  local log; log=$(mktemp)
  dotnet build "$1" -v q --nologo -c Debug > "$log" 2>&1 || { tail -20 "$log" >&2; rm -f "$log"; die "the build failed"; }
  rm -f "$log"
}
if [ "${1:-}" = --bills ]; then
  build tests/Tests.csproj
  log=$(mktemp)
  trap 'rm -f "$log"' EXIT
  CS_BILLS=${2:?--bills needs a number} dotnet tests/bin/Debug/net10.0/linux-x64/Cloud.Tests.dll -noLogo -noColor -class Cloud.Tests.Unit.Billing.ClosingTests < /dev/null > "$log" 2>&1 || { cat "$log" >&2; exit 1; }
  grep ' unbilled, ' "$log"
  exit
fi
if [ "${1:-}" = --seeds ]; then
  build tests/Tests.csproj
  CS_SEEDS=${2:-1000} CS_SEED=${4:-1} exec dotnet tests/bin/Debug/net10.0/linux-x64/Cloud.Tests.dll -noLogo -noColor -showLiveOutput -method '*Whatever_befalls_the_cloud*' < /dev/null
fi
if [ "${1:-}" = --fuzz ]; then
  build tests/Tests.csproj
  CS_FUZZ=${2:?--fuzz needs a number} CS_FUZZ_SEED=${4:-1} exec dotnet tests/bin/Debug/net10.0/linux-x64/Cloud.Tests.dll -noLogo -noColor -showLiveOutput -namespace Cloud.Tests.Fuzz < /dev/null
fi
if [ "${1:-}" = --model ]; then
  build tests/Tests.csproj
  CS_MODEL=${2:?--model needs a number} CS_MODEL_SEED=${4:-1} exec dotnet tests/bin/Debug/net10.0/linux-x64/Cloud.Tests.dll -noLogo -noColor -showLiveOutput -namespace Cloud.Tests.Model < /dev/null
fi
options=()
for option; do
  if [ "$option" = --real ]; then
    "$root/infra/cli/packages.sh" host guest
    options+=(--image "$("$root/infra/guest/build.sh" "$root/.cache/guest" | tail -1)" --clients 2)
  elif [ "$option" = functions ]; then
    "$root/infra/cli/packages.sh" broker
    azurite=$("$root/infra/cli/azurite.sh")
    PATH=$PATH:${azurite:?azurite can\'t be had}
    options+=(functions)
  elif [ "$option" = slow ]; then
    "$root/infra/cli/packages.sh" slow
    options+=(slow)
  else options+=("$option")
  fi
done
build tests/Soak
CS_ROOT=$root exec tests/Soak/bin/Debug/net10.0/linux-x64/Cloud.Soak "${options[@]}"
