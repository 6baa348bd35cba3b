#!/bin/bash
# Puts an npm package into .cache and prints the folder of its modules. Nothing is printed where it can't be had.   npm.sh PACKAGE VERSION
set -euo pipefail
. "$(dirname "$0")/common.sh"
home=$root/.cache/${1##*/}-$2
if [ ! -d "$home/node_modules/$1" ]; then
  if ! command -v npm > /dev/null; then
    [ "$(id -u)" = 0 ] || exit 0
    say "npm: fetches $1, which tests need"
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends npm > /dev/null || exit 0
  fi
  say "fetching $1 $2 by npm"
  npm install --ignore-scripts --no-audit --no-fund --prefix "$home" "$1@$2" > /dev/null || exit 0
fi
echo "$home/node_modules"
