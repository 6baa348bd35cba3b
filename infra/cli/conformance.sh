#!/bin/bash
# Runs OpenStack's own test suite (Debian's tempest, unmodified) against this cloud with simulated hosts.
#   ./cloud conformance identity|image|compute|network|volume|object|interop      a service's whole API suite; interop: the lists of the OpenStack Powered programme
#   ./cloud conformance smoke                         what tempest itself calls its smoke tests, of all services
#   ./cloud conformance basics                        of those lists what concerns identity, images and objects
#   ./cloud conformance identity-rbac|image-rbac      who may do what, in the suites of Keystone and Glance (Debian's plugins for tempest), with enforce_scope and tell_what_exists set
#   ./cloud conformance metric                        Gnocchi's gabbi files (Debian's python3-gnocchi, unmodified) against telemetry
#   ./cloud conformance identity-ext                  federation and OAuth in Keystone's suite, which needs an administrator of a project
#   ./cloud conformance regex 'tempest.api.image.v2.test_images'                  tests by name          ./cloud conformance list FILE...   tests by list
#   ./cloud conformance SUITE --on functions [--every N]     against the same executable as a function app: no state of its own, rows and bytes in Azurite, messages in RabbitMQ,
#                                                     a new process for every N executions (default 1: for each request, message and tick)
# The last line is "N passed, N failed, N skipped"; one line per test is kept in $WORK/results.txt, tempest's own output beside it.
# Environment: WORK (default .conformance/SUITE), WORKERS (default 2), PREPARE=no for tests that want neither image, flavor nor public network; with OS_AUTH_URL set, the cloud that OS_* names is tested and none is started.
set -uo pipefail
suite=${1:?smoke, identity, image, identity-rbac, identity-ext, image-rbac, compute, network, volume, object, metric, interop, basics, regex or list}; shift
here=$PWD/tests/Conformance
on=up every=1 rest=()
while [ $# -gt 0 ]; do
  case $1 in
    --on) on=${2:?--on up or functions}; shift 2;;
    --every) every=${2:?--every needs a number}; shift 2;;
    *) rest+=("$1"); shift;;
  esac
done
set -- "${rest[@]}"
WORK=$(readlink -m "${WORK:-.conformance/$suite}")
case $suite in
  identity|image|compute|network|volume) select=(--regex "^tempest\.api\.$suite");;
  object) select=(--regex '^tempest\.api\.object_storage');;
  # Without what is of services or parts that are not there: docs/conformance.md says which.
  smoke) select=(--regex '\[.*\bsmoke\b.*\]' --exclude-list "$here/smoke-out.txt");;
  identity-rbac) select=(--regex '^keystone_tempest_plugin\.tests\.rbac') plugin=keystone-tempest-plugin scope=true;;
  identity-ext) select=(--regex '^keystone_tempest_plugin\.tests\.api') plugin=keystone-tempest-plugin;;
  image-rbac) select=(--regex '^glance_tempest_plugin\.tests\.rbac') plugin=glance-tempest-plugin scope=true;;
  metric) ;;
  interop) lists=("$here"/interop-*.txt);;
  # Of those lists what concerns identity, images and objects: two or three minutes, so ./cloud test runs it.
  basics) lists=("$here"/interop-*.txt) only='^tempest\.api\.(identity|image|object_storage)\.';;
  regex) select=(--regex "$1");;
  list) lists=("$@");;
  *) echo "unknown suite $suite" >&2; exit 2;;
esac
mkdir -p "$WORK/etc" "$WORK/lock"
rm -f "$WORK/results.txt"
[ -n "${lists:-}" ] && { cat "${lists[@]}" | grep -E "${only:-.}" | sort -u > "$WORK/list.txt"; select=(--load-list "$WORK/list.txt"); }

scope=${scope:-false} page=1000 web_settings=
wanted=(tempest python3-openstacksdk ${plugin:-})
# What those files expect of a Gnocchi in its own tests: pages of 7, a proxy that is believed, and pages of one other origin.
[ "$suite" != metric ] || wanted=(python3-gabbi) page=7 web_settings='"trusted_proxies": ["127.0.0.1"], "allowed_origins": ["http://foobar.com"], '
dpkg -s "${wanted[@]}" > /dev/null 2>&1 || {
  echo "installing Debian's ${wanted[*]} (the tests, and what runs and prepares them)" >&2
  apt-get install -y --no-install-recommends "${wanted[@]}" > "$WORK/apt.log" 2>&1 || { tail -5 "$WORK/apt.log" >&2; exit 1; }
}

count() { grep -cE " $1" "$WORK/results.txt"; }
# Failures by name and the sum of $WORK/results.txt; $1 is shown when there is none.
report() {
  local passed failed skipped
  grep -E ' FAILED$' "$WORK/results.txt"
  passed=$(count 'ok$') failed=$(count 'FAILED$') skipped=$(count SKIPPED)
  case $suite in identity*|image*|object|basics) # whatever else skips itself there is not tested, and that is no success
    local unnamed n
    unnamed=$(grep SKIPPED "$WORK/results.txt" | grep -vFf <(cut -f1 "$here/skipped.txt")) && printf '%s\nnot in tests/Conformance/skipped.txt\n' "$unnamed"
    n=$(grep -c . <<< "$unnamed")
    failed=$((failed + n)) skipped=$((skipped - n));;
  esac
  [ $((passed + failed + skipped)) -gt 0 ] || { tail -5 "$1"; failed=1; }
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" = 0 ]
}
cloud='' web=''
finish() { for pid in $cloud $web; do kill "$pid" && wait "$pid"; done 2> /dev/null; }
trap finish EXIT
if [ -z "${OS_AUTH_URL:-}" ]; then
  port=$(/usr/bin/python3 "$here/port.py")
  rm -rf "$WORK/data"
  : > "$WORK/cloud.log" # or the last run's would say that it is ready
  # An image for the cloud to fetch: from this machine, which an operator has to allow.
  mkdir -p "$WORK/www" && head -c 65536 /dev/urandom > "$WORK/www/image.raw"
  /usr/bin/python3 -u -m http.server --bind 127.0.0.1 --directory "$WORK/www" 0 > "$WORK/www.log" 2>&1 &
  web=$!
  # A function app has no disk for a second store of images.
  stores='"shelf": {"kind": "objects"}'
  [ "$on" = functions ] || stores+=', "cold": {"kind": "file", "path": "'"$WORK"'/data/cold"}'
  cat > "$WORK/settings.json" <<< "{$web_settings"'"enforce_scope": '$scope', "tell_what_exists": '$scope', "metric_page": '$page', "outbound_opened": ["127.0.0.0/8"], "container_sync": {"realms": {"realm1": {"key": "'"$(head -c 16 /dev/urandom | od -An -tx1 | tr -d " ")"'", "clusters": {"name1": "http://127.0.0.1:'$port'/object-store/v1/"}}}}, "image_stores": {'"$stores"'}, "security_compliance": {"lockout_failure_attempts": 3, "lockout_duration": 5, "unique_last_password_count": 2}}'
  if [ "$on" = functions ]; then
    infra/cli/packages.sh broker || exit 1
    azurite=$(infra/cli/azurite.sh) && [ -n "$azurite" ] || { echo "azurite can't be had" >&2; exit 1; }
    program=${CLOUD_BIN:-$WORK/app} stand=${CLOUD_BIN:-tests/Soak/bin/Debug/net10.0/linux-x64}
    if [ -z "${CLOUD_BIN:-}" ]; then
      rm -rf "$program"
      { infra/azure/package.sh "$program" && dotnet build tests/Soak -v q --nologo -c Debug; } > "$WORK/build.log" 2>&1 || { tail -20 "$WORK/build.log" >&2; exit 1; }
    fi
    PATH=$PATH:$azurite "$stand/Cloud.Soak" serve --program "$program/Cloud.Functions" --data "$WORK/data" --listen "127.0.0.1:$port" --every "$every" --settings "$WORK/settings.json" > "$WORK/cloud.log" 2>&1 &
  else
    infra/cli/up.sh --data "$WORK/data" --listen "127.0.0.1:$port" --hosts simulated:2 --settings "$WORK/settings.json" > "$WORK/cloud.log" 2>&1 &
  fi
  cloud=$!
  for ((i = 0; i < 3000; i++)); do
    grep -q '^ready' "$WORK/cloud.log" && break
    kill -0 "$cloud" 2> /dev/null || { cat "$WORK/cloud.log" >&2; echo "the cloud did not start" >&2; cloud=; exit 1; }
    sleep 0.1
  done
  . "$WORK/data/openrc"
  export HTTP_IMAGE="http://127.0.0.1:$(sed -nE 's/.* port ([0-9]+) .*/\1/p' "$WORK/www.log")/image.raw"
fi

if [ "$suite" = metric ]; then
  # Only its files are wanted, not the service and what it needs.
  [ -d "$WORK/gnocchi" ] || (mkdir -p "$WORK/gnocchi" && cd "$WORK/gnocchi" && apt-get download python3-gnocchi > "$WORK/apt.log" 2>&1 && dpkg -x python3-gnocchi_*.deb .) || { tail -5 "$WORK/apt.log" >&2; rm -rf "$WORK/gnocchi"; exit 1; }
  /usr/bin/python3 "$here/gnocchi.py" "$WORK/gnocchi/usr/lib/python3/dist-packages/gnocchi/tests" "$WORK/results.txt" > "$WORK/gabbi.out" 2>&1
  report "$WORK/gabbi.out"
  exit
fi

admin="admin_project_name = $OS_PROJECT_NAME\ntempest_roles = member"
[ "$scope" = false ] || admin='admin_system = all'
IMAGE='' IMAGE_ALT='' FLAVOR='' FLAVOR_ALT='' PUBLIC='' ELSEWHERE=''
[ "${PREPARE:-yes}" = no ] || eval "$(/usr/bin/python3 "$here/prepare.py")"
sed "s|@WORK@|$WORK|g; s|@AUTH_URL@|${OS_AUTH_URL%/v3}/v3|; s|@USERNAME@|$OS_USERNAME|; s|@PASSWORD@|$OS_PASSWORD|; s|@SCOPE@|$scope|; s|@ADMIN_SCOPE@|$admin|; s|@REGION@|${OS_REGION_NAME:-RegionOne}|
  s|@IMAGE@|$IMAGE|; s|@IMAGE_ALT@|$IMAGE_ALT|; s|@FLAVOR@|$FLAVOR|; s|@FLAVOR_ALT@|$FLAVOR_ALT|; s|@PUBLIC@|$PUBLIC|; s|@ELSEWHERE@|$ELSEWHERE|; s|@HTTP_IMAGE@|${HTTP_IMAGE:-http://download.cirros-cloud.net/0.6.2/cirros-0.6.2-x86_64-disk.img}|" "$here/tempest.conf.in" > "$WORK/tempest.conf"
# Where looking costs a process, and so does each step of what is waited for.
[ "$on" = up ] || sed -i 's/^build_timeout = .*/build_timeout = 1800/; s/^build_interval = .*/build_interval = 5/' "$WORK/tempest.conf"
cd "$WORK"
[ -f space/.stestr.conf ] || tempest init --workspace-path "$WORK/workspaces.yaml" space > /dev/null 2>&1
cd space
env -u OS_AUTH_URL tempest run --config-file "$WORK/tempest.conf" --concurrency "${WORKERS:-2}" "${select[@]}" > "$WORK/tempest.out" 2>&1
grep -E '^\{[0-9]+\} ' "$WORK/tempest.out" | sed -E 's/^\{[0-9]+\} //; s/ \[[0-9.]+s\]//; s/ \.\.\. / /' | sort > "$WORK/results.txt"
report "$WORK/tempest.out"
