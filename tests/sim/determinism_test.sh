#!/bin/bash
# The same seeds give the same runs, whatever the optimiser did: -O0 against -O2.
set -uo pipefail

compare() {
  local plain fast
  plain=$("$plain_sim" hash --jobs 2 "$@") || exit 1
  fast=$("$fast_sim" hash --jobs 2 "$@") || exit 1
  [[ $(wc -l <<<"$plain") == 12 ]] || { echo "12 hashes were expected: $plain" >&2; exit 1; }
  if [[ $plain != "$fast" ]]; then
    echo "the trace hashes of -O0 and -O2 differ ($*):" >&2
    diff <(echo "$plain") <(echo "$fast") >&2
    exit 1
  fi
}

plain_sim=$1
fast_sim=$2
compare --seeds 1..12
compare --seeds 1..12 --random-config --wipes
