#!/bin/bash
# Builds the control plane as it was at a commit, once, and prints the folder that holds it. The working copy isn't touched.
set -euo pipefail
. "$(dirname "$0")/common.sh"
[ $# -eq 1 ] || die "usage: infra/cli/old.sh COMMIT"
commit=$(git -C "$root" rev-parse --verify --quiet "$1^{commit}") || die "no commit is called $1"
home=$root/.cache/old/$commit
if [ ! -x "$home/Cloud.Functions" ]; then
  say "building the control plane of $(git -C "$root" log -1 --format='%h of %cs' "$commit")"
  tree=$(mktemp -d)
  trap 'rm -rf "$tree" "$home.half"' EXIT
  git -C "$root" archive "$commit" | tar -x -C "$tree"
  dotnet build "$tree/functions/Functions.csproj" -c Debug -v q --nologo -p:RunAnalyzers=false -o "$home.half" >&2
  mv "$home.half" "$home"
fi
echo "$home"
