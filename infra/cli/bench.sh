#!/bin/bash
# Measures the control plane as ./cloud up runs it, beside OpenStack Zed's figures; about five minutes.  ./cloud bench [--only "port create"]... [--write docs/benchmarks.md]
#   ./cloud bench --only "events to a webhook"     how many events a second reach a receiver here
#   ./cloud bench --only "object lists" | "user lists" | "image stream" [--objects 100000] [--users 10000] [--size GIB]     what must stay flat: a page of a long list, memory for a long image
#   ./cloud bench --only "who exists"                whether time tells somebody's name or another project's id from one that isn't there
#   ./cloud bench --beside swift     installs Debian's Swift and measures objects in it and here, a minute each
#   ./cloud bench --scale 10000 [--write docs/scale.svg]     what one of each thing costs in a cloud of 100, 1,000 and 10,000 simulated hosts with twenty servers each; two minutes
set -euo pipefail
. "$(dirname "$0")/common.sh"
[[ " $* " != *" --beside swift "* ]] || "$root/infra/cli/packages.sh" swift
"$root/infra/cli/build.sh" cloud
dotnet build tests/Bench -v q --nologo -c Release >&2
exec dotnet tests/Bench/bin/Release/net10.0/linux-x64/Cloud.Bench.dll --cloud "$(program cloud Cloud.Functions)" "$@"
