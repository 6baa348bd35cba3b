# Sourced by the commands of ./cloud: names of files and of what we make in the kernel, in one place.
# shellcheck shell=bash disable=SC2034
root=$(dirname "$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")")
built=$root/.cache/out

# Where a program is. CLOUD_BIN names a folder that holds all of them, built by somebody else: nothing is built then.
program() { # NAME FILE
  echo "${CLOUD_BIN:-$built/$1}/$2"
}

say() { printf '%s\n' "$*" >&2; }
die() { say "$@"; exit 1; }

# Sets the names that belong to one state directory.
use_data() { # DIR
  data=$(readlink -m "$1")
  # Unix sockets' paths hold 107 bytes.
  [ ${#data} -le 80 ] || die "the directory's name is longer than 80 characters: $data"
  run=$data/run logs=$data/logs libvirt=$data/libvirt agent=$data/host
  # The same hash as in agents: 12 characters of the path's SHA-256, so that several clouds on one machine never meet.
  owner=$(printf %s "$agent" | sha256sum | cut -c1-12)
  public=cso$owner   # the bridge of provider network "public"
}

# Prints the pid in FILE when it is alive and its command line holds WORD: numbers are used again.
alive() { # FILE WORD
  local pid
  pid=$(cat "$1" 2> /dev/null) && [ -n "$pid" ] || return 1
  tr '\0' ' ' 2> /dev/null < "/proc/$pid/cmdline" | grep -qF -- "$2" && echo "$pid"
}

# Asks a process to end, waits, then kills it.
end() { # PID SECONDS
  kill "$1" 2> /dev/null || return 0
  local i
  for ((i = 0; i < $2 * 10; i++)); do kill -0 "$1" 2> /dev/null || return 0; sleep 0.1; done
  kill -9 "$1" 2> /dev/null || true
}

seconds_since() { # EPOCHREALTIME
  local us=$((${EPOCHREALTIME/./} - ${1/./}))
  printf '%d.%02d s' $((us / 1000000)) $((us / 10000 % 100))
}
