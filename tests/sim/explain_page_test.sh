#!/bin/bash
# The page that norn-sim explain writes, in a real browser: a run of more than 20,000 events, with a
# key that would be markup if anybody took it for some.
set -uo pipefail
sim=$1
work=${TEST_TMPDIR:?}

fail() {
  echo "explain_page_test: $*" >&2
  exit 1
}
command -v chromium >/dev/null || fail "there is no chromium; run: tools/install-deps test"

# dom URL: the page's document after its scripts have run; what the console says goes to stderr.
# Chromium's own sandbox needs namespaces that neither root in a container nor Bazel's sandbox has.
dom() {
  HOME=$work timeout 40 chromium --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage \
    --user-data-dir="$work/profile" --enable-logging=stderr --window-size=1300,900 \
    --virtual-time-budget=20000 --dump-dom "$1" 2>"$work/errors"
}

# count WHAT: the number that the self-check found equal in the picture and in the data.
count() {
  local found
  found=$(sed -n "s/^\(.*>\)\?ok $1: \([0-9]*\)\$/\2/p" <<<"$page")
  [[ -n $found ]] || fail "nothing was checked of $1 in"$'\n'"$(grep -A30 self-check <<<"$page")"
  echo "$found"
}

# Without exchanges the replicas part: a long run that fails.
"$sim" run --seed 1 --faults crashes,network --case "$work/case" >/dev/null || fail "seed 1 is not valid"
sed -i 's/\("node.exchange_interval_us" value:\) [0-9]*/\1 86400000000/
  s/key: "k0"/key: "k0<\/script><img src=x onerror=alert(1)>\\"\x27\&\\303\\251"/' "$work/case"
said=$("$sim" explain "$work/case" --html "$work/page.html" --shiviz "$work/log" --budget 2s)
(($? == 1)) || fail "the case is not violated:"$'\n'"$said"
grep -q '^VIOLATED: after healing all replicas agree' <<<"$said" || fail "$said"
grep -q '^What was held of ' <<<"$said" || fail "nothing is said of replicas:"$'\n'"$said"
events=$(sed -n 's/.*page.html (\([0-9]*\) events)/\1/p' <<<"$said")
((events >= 20000)) || fail "only $events events"

page=$(dom "file://$work/page.html#self-check") || fail "chromium: $(tail -5 "$work/errors")"
grep -q '^self-check: ok' <<<"$page" ||
  fail "$(tail -5 "$work/errors")"$'\n'"$(grep -A30 'id="self-check"' <<<"$page" | cut -c1-200)"
if grep CONSOLE "$work/errors"; then fail "the browser's console has something to say"; fi
if grep -q '<img' <<<"$page"; then fail "a key was taken for markup"; fi
grep -A30 'id="self-check"' <<<"$page" | sed '/^self-check/q' | cut -c1-120

# What the page shows is what happened.
clients=$(grep -o 'client: [0-9]*' "$work/case" | sort -u | wc -l)
nodes=$(grep -c '^node ' "$work/case")
operations=$(grep -c '^operation ' "$work/case")
(($(count lanes) == clients + 1 + nodes)) || fail "$clients clients and $nodes nodes"
(($(count faults) == $(grep -c '^fault ' "$work/case"))) || fail "faults"
(($(count operations) >= operations)) || fail "fewer operations than the $operations of the case"
sent=$(grep -c '^[0-9.]* to n' "$work/log")
(($(count messages) >= sent && $(count messages) <= sent * 2)) || fail "$sent messages were sent"
(($(count 'lost messages') > 0)) || fail "no message was lost"
ready=$(sed -n 's/.*, ready after \([0-9]*\) ms$/\1/p' <<<"$page")
((ready < 5000)) || fail "the page was ready after $ready ms"

# Without its data it must not pass.
sed 's/"arrows":\[\[[^]]*\],/"arrows":[[1,99,0,0,0,0,0,0],/' "$work/page.html" >"$work/wrong.html"
cmp -s "$work/page.html" "$work/wrong.html" && fail "nothing was changed"
page=$(dom "file://$work/wrong.html#self-check") || fail "chromium: $(tail -5 "$work/errors")"
grep -q '^self-check: failed' <<<"$page" || fail "a message to a node that is not there passes"

# What explain refuses.
for wrong in "" "$work/none" "$work/case --budget soon" "$work/case --png x" "$work/case --html"; do
  # shellcheck disable=SC2086
  said=$("$sim" explain $wrong 2>&1)
  (($? == 2)) || fail "explain $wrong: not refused: $said"
done
said=$("$sim" explain "$work/case" --budget 0s --html "$work/no/folder" 2>&1)
(($? == 2)) || fail "no page can be written there: $said"
said=$("$sim" explain "$work/case" --budget 0s --json 2>/dev/null)
/usr/bin/python3 -c 'import json, sys
found = json.loads(sys.argv[1])
assert found["verdict"] == "VIOLATED" and found["held"] and found["enough"] is None, found' "$said" ||
  fail "--json says $said"
exit 0
