#!/bin/bash
# A small default campaign, every seed twice; and the exit codes that scripts rely on.
set -uo pipefail
sim=$1

fail() {
  echo "campaign_test: $*" >&2
  exit 1
}

"$sim" run --seeds 1..60 --jobs 2 --twice || fail "the campaign ended with $?"
"$sim" run --seeds 1..10 --jobs 2 --nodes 3 --n 3 --r 1 --w 1 || fail "R + W <= N ended with $?"
"$sim" run --seeds 7..36 --jobs 2 --random-config --twice || fail "drawn configurations ended with $?"
"$sim" run --seeds 1..20 --jobs 2 --sloppy --nodes 6 --n 2 --r 1 --w 1 ||
  fail "sloppy quorums ended with $?"

expect_usage() {
  local text
  text=$("$sim" "$@" 2>&1 >/dev/null)
  local code=$?
  ((code == 2)) || fail "norn-sim $*: exit code $code, not 2"
  [[ -n $text ]] || fail "norn-sim $*: says nothing"
}
expect_usage
expect_usage frobnicate
expect_usage run
expect_usage run --seeds 9..3
expect_usage run --seeds one
expect_usage run --seed 1 --nodes 0
expect_usage run --seed 1 --n 3 --w 4
expect_usage run --seed 1 --nodes 2
expect_usage run --seed 1 --faults gremlins
expect_usage run --seed 1 --faults ring --no-faults network
expect_usage run --seed 1 --no-faults
expect_usage faults --of-all
expect_usage run --seed 1 --rare-branches many
expect_usage run --seed 1 --frob 2
expect_usage run --scenario
expect_usage scenarios "$TEST_TMPDIR/none"

"$sim" run --seed 3 --trace >"$TEST_TMPDIR/trace" || fail "--trace ended with $?"
hash=$("$sim" hash --seed 3) || fail "hash ended with $?"
[[ $hash =~ ^[0-9a-f]{32}$ ]] || fail "hash --seed prints more than the hash: $hash"
grep -q "^hash $hash\$" "$TEST_TMPDIR/trace" || fail "--trace and hash disagree on seed 3"
[[ $("$sim" hash --seeds 3..3) == "$hash" && $("$sim" hash --seeds 3..4) == "3 $hash"$'\n'"4 "* ]] ||
  fail "hash --seeds and --seed disagree on seed 3"
for what in "client .*: put k" "to n.: ReplicaWrite #.* k.* = {c" "from n.: Gossip of" "fault begins"; do
  grep -q "$what" "$TEST_TMPDIR/trace" || fail "the trace of seed 3 has no \"$what\""
done
