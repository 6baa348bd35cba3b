#!/bin/bash
# Writes again what is made from the code and committed, so that a change of it is seen in review.
set -euo pipefail
dotnet build tests/Tests.csproj -v q --nologo >&2
tests=(); for t in GeneratedFiles EventSchema ErrorFormat; do tests+=(-class "Cloud.Tests.Contract.${t}Tests"); done
tests+=(-class Cloud.Tests.Histories.HistoryTests)   # adds what is missing, changes nothing
CLOUD_WRITE_GOLDEN=1 dotnet tests/bin/Debug/net10.0/linux-x64/Cloud.Tests.dll -noLogo -noColor "${tests[@]}" >&2
git status --short infra/azure/functions docs tests/Histories
