#!/bin/bash
# Hands on to the script, which runs under Debian's own python3.
here=$(dirname "$0")
exec /usr/bin/python3 "$here/compare_servers.py" --nornd "$here/../node/nornd" \
  --local-cluster "$here/../tools/local-cluster" "$@"
