#!/bin/bash
# Shows the whole cloud at work and proves each step; exits 0 only then.  ./cloud demo [--data DIR] [--boots N]
# Root, about five minutes where KVM is missing, and a state directory of its own that is gone afterwards unless a step fails.
set -euo pipefail
. "$(dirname "$0")/common.sh"
dir=$root/.cache/demo boots=5
while [ $# -gt 0 ]; do
  case $1 in --data) dir=${2:?--data needs a value}; shift 2;; --boots) boots=${2:?--boots needs a number}; shift 2;; *) die "unknown option $1; see ./cloud help";; esac
done
use_data "$dir"
reason=$("$root/infra/cli/doctor.sh" --local) || die "guests can't run on this machine:
$reason"
"$root/infra/cli/packages.sh" host guest client demo
"$root/infra/cli/build.sh" cloud host sidecar demo
if [ -e "$data" ]; then   # of a demo that failed or was killed
  [ -e "$data/run" ] || die "not a directory of a cloud: $data"
  "$root/infra/cli/down.sh" --data "$data"; rm -rf "$data"
fi
exec "$(program demo Cloud.Demo)" --root "$root" --data "$data" --boots "$boots"
