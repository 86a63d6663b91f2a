#!/bin/sh
# Installs Debian packages quietly, without starting what it brings. Where that is not possible, it says so and
# is content: the tests that need them say so too, and fail in continuous integration.
set -u
packages=$*
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "==> $packages: not installed; tests that need them will be skipped. Install them to run those."
    exit 0
fi
echo "==> Installing $packages for tests"
export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
install() {
    apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 install --yes --no-install-recommends $packages >/dev/null 2>&1
}
# The lists of a fresh machine are empty or old.
install || { apt-get -qq -o DPkg::Lock::Timeout=300 update >/dev/null 2>&1; install; } ||
    echo "==> $packages: could not be installed; tests that need them will be skipped."
