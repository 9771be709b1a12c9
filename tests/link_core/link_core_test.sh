#!/bin/bash
set -euo pipefail
cd tests/link_core
/usr/bin/python3 check_symbols.py libcore_alone.so libworldly.so
