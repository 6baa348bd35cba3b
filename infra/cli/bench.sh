#!/bin/bash
# Measures the control plane beside OpenStack Zed's figures; about four minutes.  ./cloud bench [--only "port create"]... [--write docs/benchmarks.md]
set -euo pipefail
dotnet build tests/Bench -v q --nologo -c Release >&2
exec dotnet tests/Bench/bin/Release/net10.0/linux-x64/Cloud.Bench.dll --cloud functions/bin/Release/net10.0/linux-x64/Cloud.Functions "$@"
