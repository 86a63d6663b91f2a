#!/bin/sh
# promtool for tests, from Debian's package of Prometheus: done when it is there, and only where this user may install it.
set -eu
command -v promtool >/dev/null 2>&1 && exit 0
exec "$(dirname "$0")/../install-package.sh" prometheus
