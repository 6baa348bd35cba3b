#!/bin/bash
# Puts Microsoft's emulator of Azure Storage into .cache and prints the folder of its commands. Nothing is printed where it can't be had.
set -euo pipefail
. "$(dirname "$0")/common.sh"
version=3.35.0
home=$PWD/.cache/azurite-$version
if [ ! -x "$home/node_modules/.bin/azurite-table" ]; then
  if ! command -v npm > /dev/null; then
    [ "$(id -u)" = 0 ] || exit 0
    say "npm: fetches Azurite, which plays Azure Storage in tests"
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends npm > /dev/null || exit 0
  fi
  say "fetching azurite $version by npm"
  npm install --ignore-scripts --no-audit --no-fund --prefix "$home" "azurite@$version" > /dev/null || exit 0
fi
echo "$home/node_modules/.bin"
