#!/bin/bash
exec env PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 "$@"
