#!/bin/sh
# Chromium for browser tests, from Debian's packages: done when a browser is there, and only where this user may install it.
set -eu
for program in chromium chromium-browser google-chrome; do
    if command -v "$program" >/dev/null 2>&1; then
        exit 0
    fi
done
exec "$(dirname "$0")/../install-package.sh" chromium fonts-dejavu-core
