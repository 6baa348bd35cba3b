#!/bin/bash
# Builds the function app: the published executable, host.json and one folder per function. usage: infra/azure/package.sh OUT.zip, or a folder that isn't there yet
set -euo pipefail
out=$(readlink -m "${1:?usage: infra/azure/package.sh OUT.zip|FOLDER}")
cd "$(dirname "$(readlink -f "$0")")/../.."
case $out in
  *.zip) app=$(mktemp -d); trap 'rm -rf "$app"' EXIT;;
  *) app=$out; mkdir "$app";;
esac
# Self-contained: a Functions app with a custom handler comes without a .NET of its own choice. Composite: .NET and we compiled as one, which saves a quarter of each start; its parts are no good
# to who runs by itself, so they have a folder of their own.
dotnet publish functions -v q --nologo -c Release --self-contained -p:PublishReadyToRunComposite=true --artifacts-path .cache/package -o "$app" >&2
rm -f "$app"/*.pdb "$app"/appsettings*.json "$app"/web.config
"$app/Cloud.Functions" functions --out "$app"
cp host.json "$app"
[ "$app" != "$out" ] || exit 0
mkdir -p "$(dirname "$out")"; rm -f "$out"
(cd "$app" && find . -type f | LC_ALL=C sort | python3 -c '
import sys, zipfile, os
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as z:
    for path in (line.rstrip("\n")[2:] for line in sys.stdin):
        entry = zipfile.ZipInfo(path)  # no times: the same input gives the same file
        entry.external_attr = (0o755 if os.access(path, os.X_OK) else 0o644) << 16
        entry.compress_type = zipfile.ZIP_DEFLATED
        z.writestr(entry, open(path, "rb").read())
' "$out")
echo "$out: $(du -h "$out" | cut -f1), $(find "$app" -name function.json | wc -l) functions"
