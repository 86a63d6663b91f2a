#!/bin/sh
# What the JavaScript tests need, beside each package-lock.json. Tests would do it too, but against the clock.
set -eu

command -v npm >/dev/null 2>&1 || exit 0 # those tests say themselves that they are skipped
for folder in "$@"; do
  if [ ! -e "$folder/node_modules/.package-lock.json" ] ||
    [ "$folder/package-lock.json" -nt "$folder/node_modules/.package-lock.json" ]; then
    echo "==> Installing npm packages into $folder"
    (cd "$folder" && npm ci --silent --no-audit --no-fund && touch node_modules/.package-lock.json)
  fi
done
