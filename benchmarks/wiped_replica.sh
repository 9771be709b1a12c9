#!/bin/bash
# Hands on to the script, which runs under Debian's own python3.
here=${RUNFILES_DIR:-$0.runfiles}/norn
[[ -d $here ]] || here=$(dirname "$0")/..  # called by its name among the runfiles
exec /usr/bin/python3 "$here/benchmarks/wiped_replica.py" --nornd "$here/node/nornd" \
  --local-cluster "$here/tools/local-cluster" "$@"
