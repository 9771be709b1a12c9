#!/bin/bash
# norn-sim claims: the matrix as text and as JSON, and what is never claimed is shown.
set -uo pipefail
sim=$1
work=${TEST_TMPDIR:?}
failed=0

complain() {
  echo "claims_test: $*" >&2
  failed=1
}
expect() {  # expect CODE TEXT ARGUMENT...
  local code=$1 text=$2 said
  shift 2
  said=$("$sim" "$@" 2>&1)
  local got=$?
  ((got == code)) || complain "norn-sim $*: exit code $got, not $code"$'\n'"$said"
  grep -qF -- "$text" <<<"$said" || complain "norn-sim $*: \"$text\" is not said of"$'\n'"$said"
}

expect 0 "checked  durability: every acknowledged write is there" claims
expect 0 "NEVER    that no update is lost" claims
expect 0 "      ack-before-sync" claims
expect 0 ", 0 not shown" claims --prove
expect 0 "SHOWN by pruned-contexts, 5 of 5 runs" claims --prove --seeds 5 --jobs 2
expect 2 'unknown option "--proof"' claims --proof
expect 2 '--seeds is "0": it must be 1 to' claims --prove --seeds 0
expect 2 "--seeds and --jobs are of --prove" claims --seeds 3
expect 2 "--jobs needs a value" claims --prove --jobs

# The commands that it names show what they should, and its files can be printed and changed: one
# that no longer hides the write from the read does not show its anomaly.
expect 0 "client 1: get k via n3" run --scenario stale-read --seed 1 --trace
"$sim" scenarios stale-read | sed 's/ to: 3 / to: 2 /' >"$work/changed.textproto"
expect 1 "what the scenario expects at" run --scenario "$work/changed.textproto"

"$sim" claims --prove --json >"$work/proved.json" || complain "claims --prove --json ended with $?"
"$sim" claims --json >"$work/printed.json" || complain "claims --json ended with $?"
/usr/bin/python3 - "$work/proved.json" "$work/printed.json" <<'END' || complain "the JSON is not as documented"
import json, sys

proved, printed = (json.load(open(path)) for path in sys.argv[1:])
claims = {claim["name"]: claim for claim in printed["claims"]}
for row in printed["configurations"]:
    assert row["configuration"] and row["never_claimed"], row
    assert all(name in claims for name in row["checked"]), row
    assert all("shown" not in never for never in row["never_claimed"]), row
assert all(claim["text"] and claim["planted_bugs"] for claim in claims.values())
shown = [never for row in proved["configurations"] for never in row["never_claimed"]]
assert len(shown) >= 15, len(shown)
for never in shown:
    if never["witness"] is None:
        continue  # of what is not there yet
    assert never["shown"] is True and never["runs"] == never["runs_that_show"] == 1, never
    assert never["command"].startswith("norn-sim run --scenario " + never["witness"]), never
END
exit $failed
