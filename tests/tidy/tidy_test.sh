#!/bin/bash
# First that every rule can fail, then that the tree breaks none. The root WORKSPACE among the
# test's files is a symlink into the real source tree.
set -euo pipefail
export PYTHONDONTWRITEBYTECODE=1
/usr/bin/python3 tests/tidy/self_test.py
/usr/bin/python3 tests/tidy/tidy.py "$(dirname "$(realpath WORKSPACE)")"
