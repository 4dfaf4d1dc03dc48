#!/bin/sh
# Waits for the database, upgrades it, then becomes the command. What has policy is in app/container.py; the exec
# makes that, and then the command, the process that hears `docker stop`.
set -eu
unset CDPATH
cd -P -- "$(dirname -- "$0")/.."
exec python -m app.container "$@"
