#!/bin/sh
# Installs what `make test-system` needs and PyPI does not have: Debian's Chromium, and axe-core of one exact version
# out of the npm registry. What is there already is left alone. Usage: tools.sh DIRECTORY AXE-VERSION
set -eu
directory=$1 version=$2

stop() {
    echo "$1" >&2
    exit 1
}

# apt-get as root only: nobody is asked for a password in the middle of a build.
install() {
    command -v apt-get > /dev/null || stop "Missing: $*, and no apt-get to install it with. Install it by hand."
    [ "$(id -u)" = 0 ] || stop "Missing: $*. Run as root once: apt-get install --no-install-recommends $*"
    export DEBIAN_FRONTEND=noninteractive
    echo "Installing $* ..."
    apt-get -qq update < /dev/null
    apt-get -qq install --yes --no-install-recommends "$@" < /dev/null > /dev/null
}

wanted=
command -v chromium > /dev/null || wanted=chromium
axe=$directory/node_modules/axe-core
if ! grep -qs "\"version\": \"$version\"" "$axe/package.json"; then
    command -v npm > /dev/null || wanted="$wanted nodejs npm"
fi
# shellcheck disable=SC2086 # words on purpose
[ -z "$wanted" ] || install $wanted

if ! grep -qs "\"version\": \"$version\"" "$axe/package.json"; then
    mkdir -p "$directory"
    # No lock file: it would name the registry's host. The version is exact, and the package runs no script here.
    npm install --prefix "$directory" --no-save --no-package-lock --ignore-scripts --no-audit --no-fund --loglevel=error \
        "axe-core@$version" < /dev/null || stop "npm did not install axe-core $version: see above, and try again."
fi
echo "Ready for make test-system."
