#!/usr/bin/env bash
# Checks the machine, installs what is missing, then hands over to cluster/main.ts, which does the work.
# Usage: cluster/bootstrap.sh up|down|status|clean|build|demo|test|soak|bench|lint [argument…]
# PRISTINE_YES=1 installs without asking; nobody is asked where there is no terminal, or CI is set.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

verb=${1:-}
log=$PWD/.pristine/log

fail() {
  echo "pristine: $*" >&2
  exit 1
}

# --- what the machine must bring -------------------------------------------------------------------------------------

check_machine() {
  [[ $(uname -sm) == 'Linux x86_64' ]] || fail "This is $(uname -sm): the local stack runs on 64-bit x86 Linux only."
  grep -Eqs '^ID(_LIKE)?=.*debian' /etc/os-release && command -v apt-get >/dev/null ||
    fail 'This is not Debian: the local stack is made of Debian packages. Use a Debian machine or container.'
  [[ $(id -u) == 0 ]] || fail "Root is needed for containers and their network: run \"sudo make $verb\"."
  check_node
}

check_node() {
  command -v node >/dev/null && command -v npm >/dev/null || fail 'Node.js with npm is missing: install Node 20 or newer.'
  local major
  major=$(node --version | sed -E 's/^v([0-9]+).*/\1/')
  ((major >= 20)) || fail "Node $(node --version) is too old: install Node 20 or newer."
}

check_builders() {
  command -v go >/dev/null || fail 'Go is missing: install Go 1.26 or newer (go.dev/dl) and put it on the PATH.'
  local minor
  minor=$(GOTOOLCHAIN=local go version | sed -E 's/.* go1\.([0-9]+).*/\1/')
  ((minor >= 26)) || fail "$(go version) is too old: install Go 1.26 or newer (go.dev/dl)."
  command -v python3 >/dev/null || fail 'Python 3 is missing: install python3.'
}

# Measured: 4 GB of Go modules, 6 GB of compiled packages, 2 GB of programs and images, 2 GB of data.
check_disk() {
  local need=15 cache=${PRISTINE_CACHE:-$HOME/.cache/pristine} folder free
  if is_built; then need=3; fi
  mkdir -p "$cache"
  for folder in "$PWD" "$cache"; do
    free=$(($(df --output=avail -k "$folder" | tail -n 1) / 1024 / 1024))
    ((free >= need)) || fail "$folder has $free GB free and $need GB are needed: make room, or set PRISTINE_CACHE."
  done
}

is_built() {
  # shellcheck source=versions.env
  (. cluster/versions.env && [[ -d ${PRISTINE_CACHE:-$HOME/.cache/pristine}/kubernetes-$KUBERNETES_VERSION ]])
}

# --- what is installed -----------------------------------------------------------------------------------------------

# The Debian packages whose programs are not there. A program that came another way (containerd with Docker) will do.
missing_packages() {
  local package program
  while read -r package program; do
    [[ $program == /* ]] && [[ -e $program ]] && continue
    [[ $program != /* ]] && command -v "$program" >/dev/null && continue
    echo "$package"
  done <<'PROGRAMS' | sort -u
containerd containerd
containerd containerd-shim-runc-v2
runc runc
redis-server /usr/bin/redis-server
redis-tools redis-cli
mmdebstrap mmdebstrap
iptables iptables-restore
iproute2 ip
iproute2 ss
gcc gcc
libc6-dev /usr/lib/x86_64-linux-gnu/libc.a
binutils strip
openssl openssl
util-linux flock
maven mvn
PROGRAMS
  [[ -e /usr/lib/cni/bridge || -e /opt/cni/bin/bridge ]] || echo containernetworking-plugins
  python3 -m pip --version >/dev/null 2>&1 || echo python3-pip
  # Sends the images to a registry, for a cluster that is not ours.
  [[ -z ${IMAGE_REGISTRY:-} ]] || command -v skopeo >/dev/null || echo skopeo
}

# Whether node_modules is what package-lock.json says, whoever installed it.
npm_is_current() {
  node -e '
    const want = require("./package-lock.json").packages, have = require("./node_modules/.package-lock.json").packages;
    const same = ([path, one]) => path === "" || one.optional || have[path]?.integrity === one.integrity;
    process.exit(Object.entries(want).every(same) ? 0 : 1)' 2>/dev/null
}

# Debian starts a service as soon as its package is installed; ours are started by us, with their own data.
install_packages() {
  local policy=/usr/sbin/policy-rc.d made_policy=
  if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' >$policy && chmod 0755 $policy
    made_policy=1
  fi
  export DEBIAN_FRONTEND=noninteractive
  {
    apt-get -o DPkg::Lock::Timeout=120 update &&
      apt-get -o DPkg::Lock::Timeout=120 install --yes --no-install-recommends "$@"
  } >"$log/apt.log" 2>&1 </dev/null && local failed= || local failed=1
  [[ -z $made_policy ]] || rm -f $policy
  # Nor with the next start of the machine.
  local service
  for service in containerd redis-server; do
    if [[ " $* " == *" $service "* ]] && command -v systemctl >/dev/null; then
      systemctl --quiet disable "$service" >>"$log/apt.log" 2>&1 || true
    fi
  done
  [[ -z $failed ]] || fail "The Debian packages can't be installed: the log is .pristine/log/apt.log. Run it again once that is mended."
}

install_npm() {
  npm ci --no-audit --no-fund >"$log/npm.log" 2>&1 </dev/null ||
    fail "The npm packages can't be installed: the log is .pristine/log/npm.log. Run it again once that is mended."
}

install_missing() {
  local packages=() npm=
  mapfile -t packages < <(missing_packages)
  npm_is_current || npm=1
  if ((${#packages[@]} > 0)) || [[ -n $npm ]] || ! is_built; then
    echo 'This is installed on the machine if you go on:'
    ((${#packages[@]} == 0)) || echo "  Debian packages: ${packages[*]} (their services are neither started nor enabled)"
    [[ -z $npm ]] || echo '  npm packages: in node_modules, as package-lock.json pins them'
    is_built || echo "  built from source, 8 to 15 minutes on 2 cores, about 12 GB: in ${PRISTINE_CACHE:-$HOME/.cache/pristine} and Go's own cache"
    if [[ -t 0 && -z ${CI:-} && ${PRISTINE_YES:-} != 1 ]]; then
      read -r -p 'Go on? [Y/n] ' answer
      [[ ${answer:-y} == [yYjJ]* ]] || fail 'Nothing was installed or started.'
    fi
  fi
  # The two have nothing to do with each other: at the same time.
  local apt=
  if ((${#packages[@]} > 0)); then
    install_packages "${packages[@]}" &
    apt=$!
  fi
  if [[ -n $npm ]]; then install_npm; fi
  if [[ -n $apt ]]; then wait "$apt" || exit 1; fi
}

# --- hand over -------------------------------------------------------------------------------------------------------

# By this `test/run.ts` knows how much of its time is left.
export PRISTINE_BEGAN=${PRISTINE_BEGAN:-$(date +%s)}
mkdir -p "$log"
case $verb in
  up | build | demo | test | soak | bench)
    check_machine
    check_builders
    check_disk
    install_missing
    ;;
  down | status | clean)
    check_machine
    if ! npm_is_current; then install_npm; fi
    ;;
  lint)
    check_node
    if ! npm_is_current; then install_npm; fi
    for script in typecheck lint layers; do npm run --silent "$script"; done
    exit 0
    ;;
  *)
    sed -n 's/^# Usage: /Usage: /p' cluster/bootstrap.sh >&2
    exit 2
    ;;
esac
exec node_modules/.bin/node cluster/main.ts "$@"
