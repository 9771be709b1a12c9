"""Checkpoints of running nodes, and a node that is restored from one."""

import os
import shutil
import sys
import threading
import time

from cluster import Cluster, RespError, Versions, expect, expect_match, run

KEYS = 3000
STORAGE = "memtable_bytes: 65536 table_bytes: 65536 level1_bytes: 1048576"


def refused(resp, kind, pattern, *words):
    try:
        reply = resp.call(*words)
    except RespError as error:
        expect(error.kind == kind, "%s answered %s", words, error)
        expect_match(pattern, str(error))
        return
    raise AssertionError("%s answered %r" % (words, reply))


def fill(node, first, last, value):
    """On all replicas: who writes later replaces only what its own replica has heard of."""
    with node.connect() as resp:
        replies = resp.pipeline([("KV.PUT", "key%d" % i, "%s%d" % (value, i), "W", "3")
                                 for i in range(first, last)])
    for reply in replies:
        expect(not isinstance(reply, RespError), "KV.PUT: %s", reply)


def tables(directory):
    return {name for name in os.listdir(directory) if name.endswith(".sst")}


def check_take(node, norn_dump):
    """Two checkpoints, one of them under load. Returns the directory of the first."""
    home = os.path.join(node.home, "checkpoints")
    for begin in range(0, KEYS, 250):
        fill(node, begin, begin + 250, "old")
    with node.connect() as resp:
        expect_match("^OK: writes up to", resp.call("NORN.CHECKPOINT", "monday").decode())
        refused(resp, "ERR", "checkpoints/monday.*name a new directory", "NORN.CHECKPOINT", "monday")
        refused(resp, "ERR", "letters, digits", "NORN.CHECKPOINT", "../elsewhere")
        # The reply waits for the checkpoint, and those of later commands for it.
        load = threading.Thread(target=fill, args=(node, 0, 200, "new"))
        load.start()
        replies = resp.pipeline([("NORN.CHECKPOINT", "tuesday"), ("PING",)])
        load.join()
        expect_match("^OK", replies[0].decode())
        expect(replies[1] == b"PONG", "PING behind a checkpoint")
    for name in ("monday", "tuesday"):
        directory = os.path.join(home, name)
        text = run([norn_dump, "verify", directory])
        expect_match("this is a checkpoint", text)
        expect_match("no damage was found", text)
        for table in tables(directory):
            expect(os.stat(os.path.join(directory, table)).st_nlink > 1 or
                   table not in tables(os.path.join(node.home, "data")), "%s is no link", table)
    expect(tables(os.path.join(home, "monday")) & tables(os.path.join(home, "tuesday")),
           "the two share tables")
    return os.path.join(home, "monday")


def read_from_all(resp, key, deadline):
    """A replica that is in doubt need not answer before it has caught up."""
    while True:
        try:
            return Versions(resp.call("KV.GET", key, "R", "3"))
        except RespError as error:
            expect(error.kind == "UNAVAILABLE" and time.monotonic() < deadline, "%s: %s", key, error)
            time.sleep(0.1)


def check_restore(cluster, node, checkpoint):
    """Back to the old state; what it lacks comes from its replicas, and no answer is wrong."""
    fill(cluster.nodes[1], 0, 500, "new")
    expect(node.stop() == 0, "SIGTERM")
    data = os.path.join(node.home, "data")
    shutil.rmtree(data)
    shutil.copytree(checkpoint, data)
    node.start()
    cluster.await_links()
    expect_match("is a checkpoint of the writes up to", node.log_text())
    expect_match("new incarnations in every partition", node.log_text())
    deadline = time.monotonic() + 60
    with node.connect() as resp:
        for i in range(0, KEYS, 7):
            value = b"%s%d" % (b"new" if i < 500 else b"old", i)
            found = read_from_all(resp, "key%d" % i, deadline)
            expect(found.values == [value], "key%d: %s", i, found.values)
        expect(resp.call("SET", "key1", "after") == b"OK", "SET")
    # It has drawn its conclusions: the next start doubts nothing.
    expect(node.stop() == 0, "SIGTERM")
    node.start()
    expect("possibly_lost_from" not in node.info(), "still in doubt: %s", node.info())
    with node.connect() as resp:
        expect(resp.call("GET", "key1") == b"after", "GET")


def main():
    binary, norn_dump = sys.argv[1:3]
    with Cluster(binary, node='checkpoint_dir: "checkpoints"', storage=STORAGE) as cluster:
        node = cluster.nodes[0]
        check_restore(cluster, node, check_take(node, norn_dump))
        for each in cluster.nodes:
            expect(each.stop() == 0, "SIGTERM: exit code 0\n%s", each.log_text())
    with Cluster(binary, n=1) as cluster:
        with cluster.nodes[0].connect() as resp:
            refused(resp, "ERR", "set node.checkpoint_dir", "NORN.CHECKPOINT", "monday")
    print("checkpoint_test: all well")


if __name__ == "__main__":
    main()
