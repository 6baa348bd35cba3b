#!/bin/bash
set -euo pipefail
data=$PWD/.cloud; args=()
while [ $# -gt 0 ]; do
  case $1 in --data) data=$(readlink -m "$2"); shift 2;; *) args+=("$1"); shift;; esac
done
dotnet build functions -v q --nologo -c Release >&2
mkdir -p "$data"
echo $$ > "$data/pid"
exec dotnet functions/bin/Release/net10.0/linux-x64/Cloud.Functions.dll up --data "$data" "${args[@]}"
