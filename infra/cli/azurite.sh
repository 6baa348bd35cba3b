#!/bin/bash
# Puts Microsoft's emulator of Azure Storage into .cache and prints the folder of its commands. Nothing is printed where it can't be had.
set -euo pipefail
modules=$("$(dirname "$0")/npm.sh" azurite 3.35.0)
[ -z "$modules" ] || echo "$modules/.bin"
