#!/bin/bash
# Programs of protocols as their users run them: every command, the exit codes, what is refused, and
# a page of a failure in a real browser.
set -uo pipefail
abd=$1 election=$2 norn_sim=$3
work=${TEST_TMPDIR:?}

fail() {
  echo "protocol_test: $*" >&2
  exit 1
}
expect() {  # expect CODE TEXT PROGRAM ARGUMENT...
  local code=$1 text=$2 said
  shift 2
  said=$("$@" 2>&1)
  local got=$?
  ((got == code)) || fail "$*: exit code $got, not $code"$'\n'"$said"
  grep -qF -- "$text" <<<"$said" || fail "$*: \"$text\" is not said of"$'\n'"$said"
}

# Right, and the same twice.
expect 0 "20 runs of abd on 3 nodes: 20 valid, 0 not" "$abd" run --seeds 1..20 --twice
expect 0 "10 valid" "$abd" run --seeds 1..10 --nodes 5
expect 0 '"valid":20' "$election" run --seeds 1..20 --set sync_votes=1 --json
expect 0 "Settings of election:" "$election" help
expect 0 "client 1: " "$abd" run --seed 3 --trace

# Written down, replayed, bisected.
expect 0 "written to $work/case" "$abd" run --seed 3 --case "$work/case"
expect 0 "as it was written down" "$abd" replay "$work/case"
expect 0 "equal: " "$abd" bisect "$work/case" "$work/case"
expect 1 "the runs part after" "$abd" bisect --seed 3 --other-seed 4

# A bug is found, cut down, explained and drawn.
expect 1 "a term has at most one leader" "$election" run --seeds 1..400 --report "$work/found"
first=$(find "$work/found" -name '*.textproto' -print0 | xargs -0 grep -l 'verdict: "VIOLATED"' | sort | head -1)
expect 0 "written to $work/least" "$election" shrink "$first" -o "$work/least"
expect 1 "as it was written down" "$election" replay "$work/least"
parts=$(grep -cE '^(fault|message) ' "$work/least")
((parts <= 6)) || fail "$parts faults are left"$'\n'"$(cat "$work/least")"
expect 1 "What was held of vote at " "$election" explain "$work/least" --html "$work/page.html" --shiviz "$work/log"
grep -q '^n[123] {' "$work/log" || fail "the log for ShiViz has no nodes"
command -v chromium >/dev/null || fail "there is no chromium; run: tools/install-deps test"
# As in explain_page_test.sh.
page=$(HOME=$work timeout 40 chromium --headless=new --no-sandbox --disable-gpu \
  --disable-dev-shm-usage --user-data-dir="$work/profile" --window-size=1300,900 \
  --virtual-time-budget=20000 --dump-dom "file://$work/page.html#self-check" 2>"$work/errors") ||
  fail "chromium: $(tail -5 "$work/errors")"
grep -q '^self-check: ok' <<<"$page" || fail "$(grep -A30 'id="self-check"' <<<"$page" | cut -c1-200)"

# What is refused, and by whom.
expect 2 "what is to be done" "$abd"
expect 2 "unknown command" "$abd" frobnicate
expect 2 "which seeds" "$abd" run
expect 2 "unknown option" "$abd" run --seed 1 --sloppy
expect 2 "is no setting of abd: it has write_back, sync" "$abd" run --seed 1 --set x=1
expect 2 "it must be 0 to 1" "$abd" run --seed 1 --set sync=2
expect 2 "write NAME=NUMBER" "$abd" run --seed 1 --set sync
expect 2 "--nodes is 0" "$abd" run --seed 1 --nodes 0
expect 2 "give --seed S" "$abd" run --seeds 1..2 --trace
expect 2 "$work/case:4: the case is of abd, and this program runs election" "$election" replay "$work/case"
expect 2 "$work/case:4: the case is of the protocol abd" "$norn_sim" replay "$work/case"
"$norn_sim" run --seed 1 --case "$work/store" >/dev/null || fail "seed 1 of the store is not valid"
expect 2 "the case is of Norn's store" "$abd" replay "$work/store"
exit 0
