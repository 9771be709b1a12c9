#!/bin/bash
set -euo pipefail
/usr/bin/python3 tests/link_core/check_symbols.py "$@"
