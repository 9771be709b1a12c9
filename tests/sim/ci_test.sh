#!/bin/bash
# norn-sim ci and merge as CI systems have them: what they find, report, and exit with.
set -uo pipefail
sim=$1
work=${TEST_TMPDIR:?}

fail() {
  echo "ci_test: $*" >&2
  exit 1
}
expect() {  # expect CODE TEXT ARGUMENT...
  local code=$1 text=$2
  shift 2
  said=$("$sim" "$@" 2>&1)
  local got=$?
  ((got == code)) || fail "norn-sim $*: exit code $got, not $code"$'\n'"$said"
  grep -qF -- "$text" <<<"$said" || fail "norn-sim $*: \"$text\" is not said of"$'\n'"$said"
}
# check FILE PYTHON: `report` is the JSON.
check() {
  /usr/bin/python3 -c "import json, sys
report = json.load(open(sys.argv[1]))
$2" "$1" || fail "$1: $(head -c 2000 "$1")"
}
# junit FILE PYTHON: `suites` is the root, `cases` its test cases by name.
junit() {
  /usr/bin/python3 -c "import sys, xml.etree.ElementTree
suites = xml.etree.ElementTree.parse(sys.argv[1]).getroot()
cases = {case.get('name'): case for case in suites.iter('testcase')}
counted = {'tests': len(cases), 'failures': 0, 'errors': 0, 'skipped': 0}
for kind in ('failure', 'error', 'skipped'):
    name = kind if kind == 'skipped' else kind + 's'
    counted[name] = sum(case.find(kind) is not None for case in cases.values())
for name, count in counted.items():
    assert int(suites.get(name)) == count, (name, count)
    assert sum(int(suite.get(name)) for suite in suites) == count, (name, count)
$2" "$1" || fail "$1: $(head -c 3000 "$1")"
}

# A corpus in which a wrong claim is made twice in the same way: without exchanges the replicas agree
# all the same. A key of it would be markup, or the end of a string, if anybody took it for some.
mkdir "$work/corpus" "$work/good"
case_of() {
  echo 'format: 1 seed: 3 until_us: 3000000 bucket { partitions: 16 n: 3 r: 2 w: 2 }
    node { zone: "a" } node { zone: "b" } node { zone: "c" }
    knob { name: "node.exchange_interval_us" value: 86400000000 }
    fault { id: 2 kind: LOSS start_us: 1200000 end_us: 2900000 amount: 200 }'
  for i in {0..19}; do
    echo "operation { id: $((i + 1)) at_us: $((500000 + i * 100000)) client: 1 via: 1 kind: PUT
      key: \"k$((i % 5))$1\" value: \"v$i\" }"
  done
}
case_of '' >"$work/corpus/one.textproto"
case_of '\"]]></failure>\303\251\001' >"$work/corpus/a-strange.textproto"
put='step { operation { kind: PUT key: "k" value: "a" } }'
echo "description: \"d\" $put step { operation { key: \"k\" reads: \"b\" } }" \
  >"$work/corpus/wrong.textproto"
echo "description: \"d\" $put" >"$work/corpus/right.textproto"
cp "$work/corpus/right.textproto" "$work/good/"
echo "not for ci" >"$work/good/README.md"

# Found, put together, cut down, explained.
started=$SECONDS
expect 1 "VIOLATED: after healing all replicas agree, by value" ci --revision abc --budget 12s \
  --corpus "$work/corpus" --report "$work/found" --junit "$work/found.xml"
((SECONDS - started <= 12 + 5)) || fail "a budget of 12 s took $((SECONDS - started)) s"
check "$work/found/report.json" '
assert report["exit_code"] == 1 and report["revision"] == "abc" and report["done"] == [1], report
assert len(report["failures"]) == 2, report["failures"]
apart = report["failures"][0]
assert apart["runs"] == 2 and apart["least_operations"] < 20, apart
assert apart["files"] == ["case.textproto", "least.textproto", "why.html", "why.txt"], apart
assert sum(group["valid"] for group in report["groups"] if group["corpus"]) == 1
assert sum(group["runs"] for group in report["groups"] if not group["corpus"]) > 0'
junit "$work/found.xml" '
assert sum(case.find("failure") is not None for case in cases.values()) == 3, cases
assert "--random-config --wipes --sloppy" in cases and "usual options" in cases, cases'
least=$(ls "$work"/found/failures/*/least.textproto)
expect 1 "as it was written down" replay "$least"
folder=$(dirname "$least")
grep -q 'norn-sim replay .*/corpus/a-strange.textproto' "$folder/why.txt" || fail "$(cat "$folder/why.txt")"
for file in case.textproto least.textproto why.html; do
  [[ -s $folder/$file ]] || fail "no $folder/$file"
  grep -q "href=\"failures/${folder##*/}/$file\"" "$work/found/index.html" || fail "$file: no link"
done
# What a report links and loads is in it.
if grep -E '(src|href)="?(https?:|//)' "$work/found/index.html"; then fail "the page is not alone"; fi

# Shards: their own seeds and files, and one report of them.
"$sim" ci --revision abc --corpus "$work/corpus" --dry-run >"$work/whole" || fail "--dry-run"
for i in 1 2; do
  "$sim" ci --revision abc --corpus "$work/corpus" --shard "$i/2" --dry-run >"$work/plan.$i" ||
    fail "--dry-run --shard $i/2"
done
seeds() { sed -n 's/^  norn-sim run --seed \([0-9]\{4,\}\).*/\1/p' "$@"; }
[[ $(seeds "$work/plan.1" "$work/plan.2" | sort -u | wc -l) == 16 ]] || fail "shards share seeds"
[[ -z $(comm -13 <(seeds "$work/plan.1" "$work/plan.2" | sort) <(seeds "$work/whole" | sort)) ]] ||
  fail "the shards leave a seed out"
[[ $(grep -ho '/corpus/.*' "$work/plan.1" "$work/plan.2" | sort -u | wc -l) == 4 ]] ||
  fail "the shards leave a file out: $(cat "$work/plan.1" "$work/plan.2")"
NORN_REVISION=abc expect 1 "VIOLATED" ci --budget 6s --shard 1/2 --corpus "$work/corpus" \
  --report "$work/shard.1"
GITHUB_SHA=abc expect 1 "VIOLATED" ci --budget 6s --shard 2/2 --corpus "$work/corpus" \
  --report "$work/shard.2"
expect 1 "in 2 runs" merge "$work/shard.1" "$work/shard.2" -o "$work/both" --junit "$work/both.xml"
check "$work/both/report.json" '
import os
parts = [json.load(open(os.path.join(os.path.dirname(sys.argv[1]), "..", name, "report.json")))
         for name in ("shard.1", "shard.2")]
for name in ("runs", "valid", "events", "virtual_us", "real_ms"):
    assert report[name] == sum(part[name] for part in parts), name
assert report["done"] == [1, 2] and report["gaps"] == [] and len(report["failures"]) == 2, report
least = [f["least_bytes"] for part in parts for f in part["failures"] if f["least_bytes"]]
assert report["failures"][0]["least_bytes"] == min(least), least'
junit "$work/both.xml" 'assert len(cases) == 4 + 8, cases'
[[ -s $(ls "$work"/both/failures/*/least.textproto) ]] || fail "the smallest case was not taken over"
expect 1 "shard 2 of 2 is missing" merge "$work/shard.1" -o "$work/half"
expect 2 "its runs would count twice" merge "$work/shard.1" "$work/shard.1" -o "$work/x"
cp -r "$work/shard.2" "$work/other"
sed -i 's/"revision": "abc"/"revision": "abd"/' "$work/other/report.json"
expect 2 "of revision \"abd\"" merge "$work/shard.1" "$work/other" -o "$work/x"
sed -i 's/"format": 1/"format": 9/' "$work/other/report.json"
expect 2 "the report has format 9" merge "$work/shard.1" "$work/other" -o "$work/x"
expect 2 "did not end" merge "$work/shard.1" "$work/none" -o "$work/x"
expect 2 "this folder is not empty" merge "$work/shard.1" -o "$work/both"
expect 2 "merge what, to where" merge "$work/shard.1"
[[ ! -e $work/x ]] || fail "a merge that was refused left $(ls "$work/x")"

# All is well; every run hangs; a signal.
expect 0 "of the corpus" ci --revision abc --budget 4s --corpus "$work/good" --report "$work/well" \
  --junit "$work/well.xml"
junit "$work/well.xml" 'assert suites.get("failures") == suites.get("errors") == "0"'
expect 5 "STOPPED: the run did not end within its limit" ci --revision abc --budget 3s --limit 1ms \
  --corpus "$work/good" --report "$work/hang" --junit "$work/hang.xml"
junit "$work/hang.xml" 'assert int(suites.get("errors")) >= 1 and suites.get("failures") == "0"'
"$sim" ci --revision abc --budget 10m --corpus "$work/good" --report "$work/ended" \
  >"$work/said" 2>&1 &
ci=$!
until grep -q seeds "$work/said"; do kill -0 "$ci" || fail "$(cat "$work/said")"; done
kill -TERM "$ci"
wait "$ci"
code=$?
((code == 4)) || fail "SIGTERM: exit code $code, not 4"$'\n'"$(cat "$work/said")"
grep -q "ended by a signal" "$work/said" || fail "SIGTERM: $(cat "$work/said")"
check "$work/ended/report.json" 'assert report["interrupted"] and report["exit_code"] == 4, report'

# What is wrong is named.
ci() { expect 2 "$1" ci --revision abc --report "$work/x" "${@:2}"; }
ci "--shard is \"0/4\"" --shard 0/4
ci "--shard is \"5/4\"" --shard 5/4
ci "--shard is \"one\"" --shard one
ci "--budget is \"soon\"" --budget soon
ci "--budget is \"-1s\"" --budget -1s
ci "--jobs is \"0\"" --jobs 0
ci "ci does not take \"--frob\"" --frob
ci "--junit needs a value" --junit
ci "$work/none: this folder of --corpus cannot be read" --corpus "$work/none"
ci "there is no *.textproto" --corpus "$work/found"
ci "$work/no/folder: cannot be written" --corpus "$work/good" --junit "$work/no/folder"
rm -rf "$work/x"
expect 2 "which revision is this" ci --report "$work/x" --corpus "$work/good"
expect 2 "this folder is not empty" ci --revision abc --report "$work/found" --corpus "$work/good"
expect 2 "where to? Give --report" ci --revision abc --corpus "$work/good"
sed 's/^format: 1/format: 2/' "$work/corpus/one.textproto" >"$work/good/format.textproto"
ci "format.textproto:1: the case must say format: 1, not 2" --corpus "$work/good"
echo "description: \"d\" stepp {}" >"$work/good/format.textproto"
ci "format.textproto:1" --corpus "$work/good"
[[ ! -e $work/x ]] || fail "a campaign that was refused left $(ls "$work/x")"
exit 0
