#!/bin/sh
# PostgreSQL for tests, from Debian's packages: done when it is there, and only where this user may install it.
set -eu
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null 2>&1 && exit 0
exec "$(dirname "$0")/../install-package.sh" postgresql
