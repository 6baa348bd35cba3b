#!/bin/bash
# Builds everything, checks the formatting and runs all tests that are not soaks. The last line is "N passed, N failed, N skipped".
# With arguments (xunit's) only those tests run, and the formatting counts as none.
set -uo pipefail
log=$(mktemp)
trap 'rm -f "$log"' EXIT
stop() { tail -40 "$log"; echo "$1"; echo "0 passed, 1 failed, 0 skipped"; exit 1; }
count() { sed -nE "s/.*Total: .*$1: ([0-9]+).*/\1/p" "$log" | tail -1; }

# What can't be installed is missed by some tests, which say so and are skipped.
[ "$(id -u)" != 0 ] || infra/cli/packages.sh host guest client demo test || echo "some packages are missing: see above"
azurite=$(infra/cli/azurite.sh)
[ -n "$azurite" ] && PATH=$PATH:$azurite || echo "azurite is missing: the tests of Azure Storage are SKIPPED"
[ -n "$(infra/cli/npm.sh @azure/service-bus 7.9.5)" ] || echo "@azure/service-bus is missing: its tests are SKIPPED"
infra/guest/build.sh .cache/guest > /dev/null || echo "the tiny guest can't be built: three hosts in containers are SKIPPED"
bicep=$(infra/cli/bicep.sh)
[ -n "$bicep" ] && PATH=$PATH:$bicep || echo "bicep is missing: infra/azure is not compiled, its test is SKIPPED"
dotnet build Cloud.Serverless.sln -v q --nologo -c Debug > "$log" 2>&1 || stop "the build failed"
formatted=0 unformatted=0
if [ $# -eq 0 ]; then
  if dotnet format whitespace . --folder --verify-no-changes -v q > "$log" 2>&1; then formatted=1
  else unformatted=1; tail -20 "$log"; echo "not formatted: run dotnet format whitespace . --folder"
  fi
fi
dotnet tests/bin/Debug/net10.0/linux-x64/Cloud.Tests.dll -noLogo -noColor "$@" 2>&1 | tee "$log"
total=$(sed -nE 's/.*Total: ([0-9]+), Errors.*/\1/p' "$log" | tail -1)
[ -n "$total" ] || stop "no test ran"
failed=$(count Failed) skipped=$(count Skipped) errors=$(count Errors)
# Only with all the tests: real processes, killed at random.
survived=0 fallen=0
if [ $# -eq 0 ]; then timeout 600 tests/Soak/bin/Debug/net10.0/linux-x64/Cloud.Soak --kills 30 && survived=1 || fallen=1; fi
# And a part of OpenStack's own suite.
conform=0 differ=0 left=0
if [ $# -eq 0 ]; then
  if [ "$(id -u)" = 0 ] || dpkg -s tempest > /dev/null 2>&1; then
    WORK=$(mktemp -d) timeout 900 infra/cli/conformance.sh basics > "$log"
    tail -20 "$log"
    read -r conform differ left <<< "$(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed, ([0-9]+) skipped$/\1 \2 \3/p' "$log" | tail -1)"
    [ -n "$conform" ] || conform=0 differ=1 left=0
  else echo "tempest is not installed and can't be: SKIPPED"; left=1
  fi
fi
bad=$((failed + errors + unformatted + fallen + differ))
echo "$((total - failed - skipped + formatted + survived + conform)) passed, $bad failed, $((skipped + left)) skipped"
[ $bad -eq 0 ]
