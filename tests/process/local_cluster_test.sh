#!/bin/bash
# tools/local-cluster: start, status, kill, restart, stop, and starting again with the same data.
set -u

tool=$1
binary=$2
dir=$TEST_TMPDIR/cluster

fail() {
  echo "local_cluster_test: $*" >&2
  "$tool" stop "$dir" >&2
  exit 1
}

"$tool" start 3 "$dir" --binary "$binary" >"$TEST_TMPDIR/lines" || fail "start failed"
cat "$TEST_TMPDIR/lines"
[[ $(grep -cE '^node [123]  client 127.0.0.1:[0-9]+  peer 127.0.0.1:[0-9]+  admin -  pid [0-9]+$' \
  "$TEST_TMPDIR/lines") == 3 ]] || fail "start did not print three lines"
port() { sed -n "$1s/.*client 127.0.0.1:\([0-9]*\).*/\1/p" "$TEST_TMPDIR/lines"; }

[[ $(redis-cli -p "$(port 1)" SET kept here) == OK ]] || fail "SET"
"$tool" kill "$dir" 2 || fail "kill failed"
"$tool" status "$dir" | grep -q '^node 2 .*not running$' || fail "status does not show the kill"
[[ $(redis-cli -p "$(port 3)" GET kept) == here ]] || fail "GET without node 2"
"$tool" kill "$dir" 2 2>/dev/null && fail "killed what was dead"
"$tool" restart "$dir" 2 || fail "restart failed"
[[ $(redis-cli -p "$(port 2)" GET kept) == here ]] || fail "GET from node 2"

# Another cluster beside it: ports differ, and stopping one leaves the other alone.
"$tool" start 1 "$dir-2" --binary "$binary" || fail "the second cluster did not start"
"$tool" stop "$dir" || fail "stop failed"
"$tool" status "$dir-2" | grep -q 'pid' || fail "stop reached another cluster"
"$tool" stop "$dir-2" || fail "the second stop failed"

"$tool" start 3 "$dir" --binary "$binary" || fail "second start failed"
[[ $(redis-cli -p "$(port 1)" GET kept) == here ]] || fail "GET after stop and start"
"$tool" start 2 "$dir" 2>/dev/null && fail "start took another size"
"$tool" stop "$dir" || fail "last stop failed"

# A process that is not this cluster's must not be touched, whatever the pid file says.
sleep 1000 &
echo $! >"$dir/node-1/pid"
"$tool" stop "$dir" || fail "stop with a stale pid failed"
kill -0 $! || fail "stop ended a stranger"
kill $!

"$tool" start 0 "$dir" 2>/dev/null
[[ $? == 2 ]] || fail "start 0 is wrong usage"
"$tool" start 1 "$dir-3" --bucket "n=1,w=2,r=1" --binary "$binary" 2>"$TEST_TMPDIR/error"
[[ $? == 1 ]] || fail "an impossible quorum is to fail"
grep -q "w is 2" "$TEST_TMPDIR/error" || fail "the error does not say why: $(cat "$TEST_TMPDIR/error")"
echo "local_cluster_test: all well"
