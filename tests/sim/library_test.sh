#!/bin/bash
# Scenarios that describe a run, as their users have them: the library, files of their own, bad
# input, and what can be done with a run of one.
set -uo pipefail
sim=$1
work=${TEST_TMPDIR:?}
failed=0

complain() {
  echo "library_test: $*" >&2
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

# What each of them must be seen to do: effects of these kinds.
declare -A harm=(
  [bridge-partition]="bridge partition"
  [clock-scramble]="wrong wall clocks|drifting wall clocks"
  [data-center-outage]="power cut"
  [deploy-under-load]="crash|slow disk"
  [flapping-link]="flapping partition"
  [full-disk]="full disk"
  [gray-node]="slow disk|slow links|paused nodes"
  [mass-restart]="power cut|slow disk"
  [quiet-baseline]=""
  [random-weather]="crash"
  [rolling-restart]="crash"
  [slow-disk]="slow disk"
  [wiped-node]="wiped disk"
)
list=$("$sim" scenarios) || complain "scenarios ended with $?"
for name in "${!harm[@]}"; do
  grep -q "^$name  *[a-z]" <<<"$list" || complain "$name is not listed:"$'\n'"$list"
done
count=$(sed -n '2,/^$/p' <<<"$list" | grep -c .)
((count == ${#harm[@]})) || complain "$count scenarios are listed, and ${#harm[@]} are known here"

for name in "${!harm[@]}"; do
  said=$("$sim" run --scenario "$name" --seeds 1..2 --jobs 2 2>&1)
  code=$?
  ((code == 0)) || complain "$name: exit code $code"$'\n'"$said"
  grep -q "^2 runs of $name .*: 2 valid, 0 not" <<<"$said" || complain "$name: $said"
  effects=$(sed -n '/^Faults that took effect/,/^How/p' <<<"$said")
  while IFS= read -r kind; do
    [[ -z $kind ]] || grep -qE "^ +[1-9][0-9]*  $kind\$" <<<"$effects" ||
      complain "$name: no effects of \"$kind\""$'\n'"$effects"
  done < <(tr '|' '\n' <<<"${harm[$name]}")
done

# A cluster that nothing befalls answers everything; one without power does not.
available() {  # available PHASE: of 10,000 gets so many were ok
  /usr/bin/python3 -c 'import json, sys
phases = {p["name"]: p["gets"] for p in json.load(sys.stdin)["availability"]["phases"]}
stats = phases[sys.argv[1]]
assert 0 < stats["p50_us"] <= stats["p99_us"] <= stats["max_us"], stats
print(10000 * stats["ok"] // stats["requests"])' "$1"
}
quiet=$("$sim" run --scenario quiet-baseline --json | available after) || complain "no --json"
dark=$("$sim" run --scenario mass-restart --json | available during) || complain "no --json"
((quiet == 10000 && dark < 9500)) || complain "availability is $quiet when quiet and $dark in the dark"

# A file of one's own, from one of the library.
"$sim" scenarios wiped-node >"$work/mine.textproto" || complain "scenarios wiped-node ended with $?"
expect 0 "1 runs of mine (one node" run --scenario "$work/mine.textproto" --seed 3
[[ $("$sim" hash --scenario wiped-node --seed 3) == $("$sim" hash --scenario "$work/mine.textproto" --seed 3) ]] ||
  complain "the same scenario has two hashes"
[[ $("$sim" hash --scenario wiped-node --seed 3) != $("$sim" hash --scenario wiped-node --seed 4) ]] ||
  complain "two seeds have one hash"
expect 2 "the library has bridge-partition" run --scenario wiped-nod
expect 2 "the library has bridge-partition" scenarios wiped-nod

# A run of one is written down and performed again; a wrong claim is cut down. Without exchanges
# nobody tells a replica what it has missed.
hash=$("$sim" hash --scenario data-center-outage --seed 2)
expect 0 "hash $hash" run --scenario data-center-outage --seed 2 --case "$work/case"
expect 0 "as it was written down" replay "$work/case"
cat >"$work/mine.textproto" <<'END'
description: "a node is cut off, and nothing tells it later what it has missed"
cluster { nodes: 5 zones: 5 }
workload { keys { count: 300 } gets: 1 puts: 99 deletes: 0 }
phases { before_ms: 500 faults_ms: 2500 after_ms: 0 healing_ms: 5000 }
fault { kind: ISOLATE nodes: 1 at_ms: 1600 for_ms: 2000 }
END
echo 'knob { name: "node.exchange_interval_us" value: 86400000000 }' >>"$work/mine.textproto"
mkdir -p "$work/report"
"$sim" run --scenario "$work/mine.textproto" --seed 1 --report "$work/report" >"$work/said" 2>&1
code=$?
((code == 1)) && grep -q "after healing all replicas agree" "$work/said" ||
  complain "without exchanges: exit code $code"$'\n'"$(cat "$work/said")"
grep -q "to see it again: norn-sim run --seed 1 --scenario $work/mine.textproto" "$work/said" ||
  complain "no command that shows it again"$'\n'"$(cat "$work/said")"
expect 0 "written to $work/least" shrink "$work/report/seed-1.textproto" -o "$work/least" \
  --budget 30s --limit 20s
expect 1 "after healing all replicas agree" replay "$work/least"
(($(grep -c '^operation ' "$work/least") <= 10)) || complain "not cut down: $(cat "$work/least")"

# Where a run parts from a script, and what is wrong with a file.
cat >"$work/wrong.textproto" <<'END'
description: "d"
workload { }
fault { kind: HALVES nodes: 4 at_ms: 3000 }
END
expect 2 "$work/wrong.textproto:3: nodes is 4: the cluster has the nodes 1 to 3" \
  run --scenario "$work/wrong.textproto"
sed -i 's/nodes: 4 at_ms: 3000/nodes: 1 at_ms: 15000/' "$work/wrong.textproto"
expect 2 "$work/wrong.textproto:3: the fault" run --scenario "$work/wrong.textproto"
sed -i 's/^workload.*/workload { keyz { } }/' "$work/wrong.textproto"
expect 2 "$work/wrong.textproto:2:" run --scenario "$work/wrong.textproto"
exit $failed
