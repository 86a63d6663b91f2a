#!/bin/sh
# Redis for tests, from Debian's packages: done when it is there, and only where this user may install it.
set -eu
command -v redis-server >/dev/null 2>&1 && exit 0
exec "$(dirname "$0")/../install-package.sh" redis-server
