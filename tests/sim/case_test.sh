#!/bin/bash
# Cases as their users have them: written down, replayed, cut down, compared; and the exit codes.
set -uo pipefail
sim=$1
work=${TEST_TMPDIR:?}

fail() {
  echo "case_test: $*" >&2
  exit 1
}
expect() {  # expect CODE TEXT ARGUMENT...
  local code=$1 text=$2 said
  shift 2
  said=$("$sim" "$@" 2>&1)
  local got=$?
  ((got == code)) || fail "norn-sim $*: exit code $got, not $code"$'\n'"$said"
  grep -qF -- "$text" <<<"$said" || fail "norn-sim $*: \"$text\" is not said of"$'\n'"$said"
}
hash_in() { sed -n 's/^hash //p' <<<"$1"; }

# What is written down is the run of that seed, and so is its replay.
for options in "--seed 3" "--seed 4 --random-config --wipes" "--seed 5 --sloppy"; do
  # shellcheck disable=SC2086
  drawn=$("$sim" hash $options) || fail "hash $options"
  # shellcheck disable=SC2086
  expect 0 "hash $drawn" run $options --case "$work/case"
  expect 0 "hash $drawn" replay "$work/case"
  expect 0 "as it was written down" replay "$work/case"
done
expect 0 "hash $drawn" replay "$work/case" --trace

# A wrong claim: without exchanges the replicas agree all the same. It is refuted, and the case
# cut down to hardly anything.
"$sim" run --seed 1 --faults crashes,network --case "$work/apart" >/dev/null || fail "seed 1 is not valid"
sed -i 's/\("node.exchange_interval_us" value:\) [0-9]*/\1 86400000000/' "$work/apart"
property="VIOLATED: after healing all replicas agree, by value"
expect 1 "$property" replay "$work/apart"
expect 0 "written to $work/least" shrink "$work/apart" -o "$work/least" --budget 40s --limit 20s
expect 1 "$property" replay "$work/least"
expect 1 "as it was written down" replay "$work/least"
faults=$(grep -cE '^(fault|message) ' "$work/least")
operations=$(grep -c '^operation ' "$work/least")
((faults <= 3 && operations <= 10)) ||
  fail "$faults faults and $operations operations are left"$'\n'"$(cat "$work/least")"

# Where runs part.
expect 0 "equal: " bisect --seed 3 --with "$sim"
expect 0 "equal: " bisect "$work/least" "$work/least"
expect 1 "the runs part after" bisect "$work/apart" "$work/least"
expect 1 "run --seed 4" bisect --seed 3 --other-seed 4
expect 2 "bisect what with what" bisect --seed 3
expect 2 "cannot be run" bisect --seed 3 --with "$work/none"

# What is wrong is named, with file and line.
expect 2 "$work/none: no such case" replay "$work/none"
expect 2 "replay which case" replay
expect 2 "nothing to shrink: the case is VALID" shrink "$work/case" -o "$work/x"
expect 2 "shrink what, to where" shrink "$work/case"
expect 2 "--budget is \"soon\"" shrink "$work/case" -o "$work/x" --budget soon
expect 2 "$work/no/folder: cannot be written" run --seed 3 --case "$work/no/folder"
sed 's/^format: 1/format: 2/' "$work/least" >"$work/wrong"
expect 2 "$work/wrong:3: the case has format 2" replay "$work/wrong"
sed 's/^seed:/sead:/' "$work/least" >"$work/wrong"
expect 2 "$work/wrong:5" replay "$work/wrong"
{ cat "$work/least"; echo 'fault { id: 99 kind: ISOLATE nodes: 9 end_us: 1 }'; } >"$work/wrong"
expect 2 "$work/wrong:$(wc -l <"$work/wrong"): nodes is 9" replay "$work/wrong"

# Every failure of a campaign is written down; here none is.
expect 0 "" run --seeds 1..2 --report "$work/report"
[[ -d $work/report && -z $(ls "$work/report") ]] || fail "--report left $(ls "$work/report")"
exit 0
