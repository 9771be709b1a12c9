#!/bin/bash
# Debian's own python3, which has Debian's modules, whatever else is on the PATH. It must not
# write compiled files next to the sources.
exec env PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 "$@"
