#!/bin/bash
# Builds everything and runs all tests that are not soaks. The last line is "N passed, N failed, N skipped".
set -uo pipefail
dotnet build Cloud.Serverless.sln -v q --nologo -c Debug > /tmp/cs-build.$$ 2>&1 || { tail -40 /tmp/cs-build.$$; rm -f /tmp/cs-build.$$; echo "the build failed"; echo "0 passed, 1 failed, 0 skipped"; exit 1; }
rm -f /tmp/cs-build.$$
out=$(mktemp)
dotnet tests/bin/Debug/net10.0/linux-x64/Cloud.Tests.dll -noLogo -noColor "$@" 2>&1 | tee "$out"
line=$(grep -E 'Total: [0-9]+' "$out" | tail -1)
total=$(sed -E 's/.*Total: ([0-9]+).*/\1/' <<<"$line"); failed=$(sed -E 's/.*Failed: ([0-9]+).*/\1/' <<<"$line"); errors=$(sed -E 's/.*Errors: ([0-9]+).*/\1/' <<<"$line"); skipped=$(sed -E 's/.*Skipped: ([0-9]+).*/\1/' <<<"$line")
rm -f "$out"
[ -n "$total" ] || { echo "no test ran"; echo "0 passed, 1 failed, 0 skipped"; exit 1; }
echo "$((total - failed - skipped)) passed, $((failed + errors)) failed, $skipped skipped"
[ $((failed + errors)) -eq 0 ]
