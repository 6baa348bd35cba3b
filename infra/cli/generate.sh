#!/bin/bash
# Writes again what is made from the code and committed, so that a change of it is seen in review.
set -euo pipefail
dotnet build functions -v q --nologo >&2
cloud=(dotnet functions/bin/Debug/net10.0/linux-x64/Cloud.Functions.dll)
"${cloud[@]}" functions --out infra/azure/functions
dotnet build tests/Tests.csproj -v q --nologo >&2
CLOUD_WRITE_GOLDEN=1 dotnet tests/bin/Debug/net10.0/linux-x64/Cloud.Tests.dll -noLogo -noColor -class Cloud.Tests.Contract.EventSchemaTests -class Cloud.Tests.Contract.ErrorFormatTests >&2
git status --short infra/azure/functions docs
