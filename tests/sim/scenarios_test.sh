#!/bin/bash
# Every scenario, under a few seeds. One that waits for something to be built must show its
# violation: once it does not, its mark (expect_violation_until) is to go.
set -uo pipefail
sim=$1
folder=$(dirname "$2")
failed=0

complain() {
  echo "scenarios_test: $*" >&2
  failed=1
}

list=$("$sim" scenarios "$folder") || { echo "scenarios_test: no list of $folder" >&2; exit 1; }
[[ $(wc -l <<<"$list") -ge 25 ]] || complain "too few scenarios in $folder:"$'\n'"$list"

for file in "$folder"/*.textproto; do
  name=$(basename "$file" .textproto)
  wanted=0
  ! grep -q "^$name .*(VIOLATED until " <<<"$list" || wanted=1
  said=$("$sim" run --scenario "$file" --seeds 1..5 --jobs 2 2>&1)
  code=$?
  ((code == wanted)) || complain "$name: exit code $code, expected $wanted"$'\n'"$said"
done

# The exit codes and errors that scripts rely on.
work=${TEST_TMPDIR:?}
expect() {  # expect CODE TEXT SCENARIO
  printf '%s\n' "$3" >"$work/x.textproto"
  said=$("$sim" run --scenario "$work/x.textproto" 2>&1)
  code=$?
  ((code == $1)) || complain "exit code $code, not $1, for: $3"$'\n'"$said"
  grep -qF -- "$2" <<<"$said" || complain "\"$2\" is not said of: $3"$'\n'"$said"
}
put='step { operation { kind: PUT key: "k" value: "a" } }'
expect 0 "1 valid" "description: \"d\" $put"
expect 1 "x.textproto:1" "description: \"d\" $put step { operation { key: \"k\" reads: \"b\" } }"
expect 2 "x.textproto:2" "description: \"d\""$'\n'"step { rule { message: \"Nothing\" } } $put"
expect 4 "had 0 effects" "description: \"d\" $put step { rule { message: \"Forward\" } }"
sloppy='description: "d" cluster { sloppy: true }'
expect 0 "1 valid" "$sloppy $put step { check { node: 1 hints_max: 0 key: \"k\" holds: \"a\" } }"
expect 1 "n1 holds 0 hints" "$sloppy $put step { check { node: 1 hints_min: 1 } }"
expect 4 "x.textproto:1: not staged: n1 holds 0 hints" \
  "$sloppy $put step { check { node: 1 hints_min: 1 staged: true } }"
expect 2 "x.textproto:2" "$sloppy $put"$'\n'"step { check { node: 1 } }"
"$sim" run --scenario "$work/none.textproto" >/dev/null 2>&1
(($? == 2)) || complain "a scenario that is not there is not wrong usage"
exit $failed
