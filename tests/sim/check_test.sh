#!/bin/bash
# norn-sim check as its users have it: verdicts, witnesses, exit codes, bad input.
set -uo pipefail
sim=$1
work=${TEST_TMPDIR:?}

fail() {
  echo "check_test: $*" >&2
  exit 1
}
expect() {  # expect CODE TEXT ARGUMENT...
  local code=$1 text=$2 said
  shift 2
  said=$("$sim" check "$@" 2>&1)
  local got=$?
  ((got == code)) || fail "norn-sim check $*: exit code $got, not $code"$'\n'"$said"
  grep -qF -- "$text" <<<"$said" || fail "norn-sim check $*: \"$text\" is not said of"$'\n'"$said"
}
call() { echo "{\"process\":$1,\"type\":\"invoke\",\"f\":\"$2\",\"key\":\"x\",\"value\":$3}"; }
ok() { echo "{\"process\":$1,\"type\":\"ok\",\"key\":\"x\",\"value\":$2}"; }

# Two writes, then who reads what.
{ call 1 write 1; ok 1 1; call 1 write 2; ok 1 2; } >"$work/writes"
{ cat "$work/writes"; call 2 read null; ok 2 2; } >"$work/fresh.jsonl"
{ cat "$work/writes"; call 2 read null; ok 2 1; } >"$work/stale.jsonl"
{ cat "$work/writes"; call 1 read null; ok 1 1; } >"$work/own.jsonl"
for model in register cas-register sessions; do
  expect 0 "VALID: $model, 3 operations" "$work/fresh.jsonl" --model $model
  expect 1 'key "x": VIOLATED' "$work/own.jsonl" --model $model
done
expect 1 "the register held 1 from the end of line 2 to the call at line 5" \
  "$work/stale.jsonl" --model register
expect 1 "2        read 1" "$work/stale.jsonl" --model cas-register
expect 0 "VALID: sessions" "$work/stale.jsonl" --model sessions
expect 1 "read your writes" "$work/own.jsonl" --model sessions

"$sim" check "$work/stale.jsonl" --model register --json >"$work/json"
python3 - "$work/json" <<'PYTHON' || fail "--json: $(cat "$work/json")"
import json, sys
result = json.load(open(sys.argv[1]))
assert result["verdict"] == "VIOLATED" and result["keys_violated"] == 1, result
witness = result["findings"][0]["witness"]
assert [(o["f"], o["value"], o["call_line"]) for o in witness] == [
    ("write", "1", 1), ("write", "2", 3), ("read", "1", 5)], witness
PYTHON

# What registers hold at first can be said.
{ call 1 read null; ok 1 0; } >"$work/zero.jsonl"
expect 1 "never written" "$work/zero.jsonl" --model register
expect 0 "VALID" "$work/zero.jsonl" --model register --initial 0
expect 2 "--initial: x is no value" "$work/zero.jsonl" --model register --initial x

# Jepsen's.
cat >"$work/cas.edn" <<'EDN'
{:process 0 :type :invoke :f :write :value [7 0] :index 0}
{:process 0 :type :ok :f :write :value [7 0] :index 1}
{:process 0 :type :invoke :f :cas :value [7 [0 1]] :index 2}
{:process 1 :type :invoke :f :cas :value [7 [0 2]] :index 3}
{:process 0 :type :ok :f :cas :value [7 [0 1]] :index 4}
{:process 1 :type :ok :f :cas :value [7 [0 2]] :index 5}
EDN
expect 1 "cas 0 to 2" "$work/cas.edn" --model cas-register
sed 's/1 :type :ok/1 :type :fail/' "$work/cas.edn" >"$work/history"
expect 0 "VALID" "$work/history" --model cas-register --format edn
expect 2 "cas.edn:3: this model has reads and writes only" "$work/cas.edn" --model register

# Not decided is not valid: forty writes at once, and a read of the first.
for i in $(seq 40); do call "$i" write "$i"; done >"$work/wide.jsonl"
for i in $(seq 40); do ok "$i" "$i"; done >>"$work/wide.jsonl"
{ call 1 read null; ok 1 99; } >>"$work/wide.jsonl"
expect 4 "not decided after 1000 configurations" "$work/wide.jsonl" --model cas-register --limit 1000
expect 1 "the value 99 was read and never written" "$work/wide.jsonl" --model register
call 1 read null >"$work/silent.jsonl"
expect 4 "nothing to check" "$work/silent.jsonl" --model register

# Bad input.
expect 2 "which model?" "$work/fresh.jsonl"
expect 2 "which history?" --model register
expect 2 "must be register, cas-register or sessions" "$work/fresh.jsonl" --model queue
expect 2 "unknown option \"--quiet\"" "$work/fresh.jsonl" --model register --quiet
expect 2 "--limit is \"0\"" "$work/fresh.jsonl" --model register --limit 0
expect 2 "$work/none.jsonl: no such history" "$work/none.jsonl" --model register
: >"$work/empty.jsonl"
expect 2 "empty" "$work/empty.jsonl" --model register
expect 2 "no such history" "$work" --model register
ok 1 1 >"$work/answer.jsonl"
expect 2 "answer.jsonl:1: process 1 has no operation open" "$work/answer.jsonl" --model register
head -c -9 "$work/fresh.jsonl" >"$work/cut.jsonl"
expect 2 "cut.jsonl:6: not JSON" "$work/cut.jsonl" --model register
echo "check_test: passed"
