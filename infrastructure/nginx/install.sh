#!/bin/sh
# nginx for tests of its configurations, from Debian's packages: done when it is there, and only where this user may install it.
set -eu
command -v nginx >/dev/null 2>&1 && exit 0
exec "$(dirname "$0")/../install-package.sh" nginx-light
