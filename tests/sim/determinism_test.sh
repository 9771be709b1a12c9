#!/bin/bash
# The same seeds give the same runs, whatever the optimiser did: -O0 against -O2.
set -uo pipefail
plain=$("$1" hash --seeds 1..12 --jobs 2) || exit 1
fast=$("$2" hash --seeds 1..12 --jobs 2) || exit 1
[[ $(wc -l <<<"$plain") == 12 ]] || { echo "12 hashes were expected: $plain" >&2; exit 1; }
if [[ $plain != "$fast" ]]; then
  echo "the trace hashes of -O0 and -O2 differ:" >&2
  diff <(echo "$plain") <(echo "$fast") >&2
  exit 1
fi
