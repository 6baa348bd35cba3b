#!/bin/bash
# Builds programs for this machine, compiled ahead so that they start at once; nothing to do when no source is newer.
#   infra/cli/build.sh cloud|host|sidecar|demo...     to .cache/out/NAME
set -euo pipefail
. "$(dirname "$0")/common.sh"
[ -z "${CLOUD_BIN:-}" ] || exit 0
cd "$root"
mkdir -p "$built"
exec 9> "$built/lock"; flock 9
for name; do
  sources=(functions agents Directory.Build.props Directory.Packages.props global.json)
  case $name in
    cloud) project=functions;;
    host) project=agents/Host;;
    sidecar) project=agents/Sidecar;;
    demo) project=infra/demo; sources+=(infra/demo);;
    *) die "nothing is called $name";;
  esac
  stamp=$built/$name.stamp
  if [ -e "$stamp" ] && [ -z "$(find "${sources[@]}" \( -name bin -o -name obj \) -prune -o -type f ! -name packages.lock.json -newer "$stamp" -print -quit)" ]; then continue; fi
  command -v dotnet > /dev/null || die "the .NET 10 SDK is needed: https://dotnet.microsoft.com/download"
  say "building $name ..."
  began=$EPOCHREALTIME
  touch "$stamp.new"
  rm -rf "$built/$name.new"
  # Without the lock: the compiler's server outlives the build, and would hold it.
  dotnet publish "$project" -c Release -p:PublishReadyToRun=true -v q --nologo -o "$built/$name.new" > "$built/$name.log" 2>&1 9>&- \
    || { grep -E 'error|warning' "$built/$name.log" | sort -u | head -20 >&2 || tail -5 "$built/$name.log" >&2; die "the build of $name failed; all of it: $built/$name.log"; }
  # By renaming: programs that run keep the files they have open.
  rm -rf "$built/$name.old"
  [ ! -e "$built/$name" ] || mv "$built/$name" "$built/$name.old"
  mv "$built/$name.new" "$built/$name"
  mv "$stamp.new" "$stamp"
  say "built $name in $(seconds_since "$began")"
done
