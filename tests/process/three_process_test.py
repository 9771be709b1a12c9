"""A cluster of three, used through Redis's own tools and libraries, and through KV.*."""

import random
import sys
import time

import redis

from cluster import Cluster, RespError, Versions, expect, expect_match, run


def check_redis_cli(cluster):
    port = str(cluster.nodes[0].client_port)

    def cli(*words):
        return run(["redis-cli", "-p", port] + list(words)).strip()  # nil is an empty line

    expect(cli("PING") == "PONG", "PING")
    expect(cli("SET", "greeting", "hello world") == "OK", "SET")
    expect(cli("GET", "greeting") == "hello world", "GET")
    expect(cli("EXISTS", "greeting", "nothing") == "1", "EXISTS")
    expect(cli("DEL", "greeting", "nothing") == "1", "DEL")
    expect(cli("GET", "greeting") == "", "GET of what was deleted")
    expect(cli("MSET", "a", "1", "b", "2") == "OK", "MSET")
    found = run(["redis-cli", "-p", port, "MGET", "a", "b", "c"]).splitlines()
    expect(found[:3] == ["1", "2", ""], "MGET")
    expect_match("norn_version:", cli("INFO"))
    expect_match("members_alive:3", cli("INFO", "cluster"))
    expect_match("(?i)^ERR unknown command", cli("NONSENSE", "1"))
    expect_match("^ERR", cli("INCR", "a"))
    expect(cli("-3", "GET", "a") == "1", "RESP3")


def check_redis_benchmark(cluster):
    for node in cluster.nodes[:2]:
        text = run(["redis-benchmark", "-p", str(node.client_port), "-t", "set,get", "-P", "16",
                    "-n", "20000", "-c", "20", "-r", "5000", "-d", "100", "-q"])
        expect_match("SET: .* requests per second", text)
        expect_match("GET: .* requests per second", text)
        expect("Error" not in text, "redis-benchmark met an error:\n%s", text)


def check_python_redis(cluster):
    first = redis.Redis(port=cluster.nodes[0].client_port)
    second = redis.Redis(port=cluster.nodes[1].client_port)
    expect(first.ping(), "ping")
    value = bytes(range(256)) * 4
    expect(first.set("binary", value), "set")
    expect(second.get("binary") == value, "a quorum read on another node sees the write")
    with first.pipeline(transaction=False) as pipe:
        for i in range(500):
            pipe.set("pipe:%d" % i, "v%d" % i)
        expect(all(pipe.execute()), "pipelined set")
    with second.pipeline(transaction=False) as pipe:
        for i in range(500):
            pipe.get("pipe:%d" % i)
        expect(pipe.execute() == [b"v%d" % i for i in range(500)], "pipelined get")
    expect(second.exists("binary", "absent") == 1, "exists")
    expect(second.delete("binary") == 1, "delete")
    expect(first.get("binary") is None, "get of what was deleted")
    expect(first.info("stats")["puts"] > 500, "info")
    first.close()
    second.close()


def check_hiredis(cluster, client):
    text = run([client] + [str(node.client_port) for node in cluster.nodes])
    expect_match("hiredis: all well", text)


def check_pipelining(cluster):
    """Replies come in the order of the commands, also where commands touch one key."""
    with cluster.nodes[2].connect() as resp:
        commands, expected = [], []
        for i in range(300):
            commands.append(("SET", "one", i))
            expected.append(b"OK")
            commands.append(("GET", "one"))
            expected.append(b"%d" % i)
            if i % 10 == 0:
                commands.append(("PING", i))
                expected.append(b"%d" % i)
        got = resp.pipeline(commands)
        for command, reply, wanted in zip(commands, got, expected):
            expect(reply == wanted, "%r answered %r, not %r", command, reply, wanted)
        # In pieces: a command may be cut anywhere.
        data = b"".join(resp.encode("SET", "cut%d" % i, "x" * 50) for i in range(50))
        for at in range(0, len(data), 7):
            resp.socket.sendall(data[at:at + 7])
        for _ in range(50):
            expect(resp.read() == b"OK", "SET in pieces")


def check_siblings(cluster):
    a, b, c = (node.connect() for node in cluster.nodes)
    first = a.call("KV.PUT", "cart", "milk", "CONTEXT", "NONE")
    expect(first[1] >= 2, "replicas of %r", first)
    b.call("KV.PUT", "cart", "bread", "CONTEXT", "NONE")
    read = Versions(c.call("KV.GET", "cart", "R", "3"))
    expect(sorted(read.values) == [b"bread", b"milk"], "siblings are %r", read.values)
    # The context covers both: one value replaces them.
    merged = c.call("KV.PUT", "cart", "milk,bread", "CONTEXT", read.context, "W", "3")
    expect(merged[1] == 3, "W 3 reached %r", merged)
    for resp in (a, b, c):
        expect(Versions(resp.call("KV.GET", "cart")).values == [b"milk,bread"], "merged")
    # An old context covers what it saw and nothing later.
    a.call("KV.PUT", "cart", "eggs", "CONTEXT", read.context)
    read = Versions(b.call("KV.GET", "cart"))
    expect(sorted(read.values) == [b"eggs", b"milk,bread"], "siblings are %r", read.values)
    b.call("KV.DEL", "cart", "CONTEXT", read.context)
    expect(Versions(c.call("KV.GET", "cart")).values == [], "deleted")
    for words in (("KV.PUT", "cart", "x", "CONTEXT", "bm9uc2Vuc2U="), ("KV.GET", "cart", "R", "4"),
                  ("KV.PUT", "other", "x", "CONTEXT", read.context)):
        try:
            reply = a.call(*words)
        except RespError as error:
            expect(error.kind == "ERR", "%r answered %s", words, error)
        else:
            raise AssertionError("%r answered %r, and should be refused" % (words, reply))
    for resp in (a, b, c):
        resp.close()


def check_quorum_without_a_node(cluster):
    stopped = cluster.nodes[2]
    with cluster.nodes[0].connect() as resp:
        for i in range(200):
            resp.call("SET", "before%d" % i, i)
    expect(stopped.stop() == 0, "SIGTERM: exit code 0\n%s", stopped.log_text())
    with cluster.nodes[1].connect() as resp:
        for i in range(200):
            expect(resp.call("GET", "before%d" % i) == b"%d" % i, "GET without node 3")
            expect(resp.call("SET", "without%d" % i, i) == b"OK", "SET without node 3")
        try:
            resp.call("KV.PUT", "all", "x", "W", "3", "TIMEOUT", "300")
            raise AssertionError("W 3 cannot be had from two nodes")
        except RespError as error:
            expect(error.kind in ("NOTAPPLIED", "UNKNOWN"), "W 3 answered %s", error)
    stopped.start()
    # What it missed reaches it without anybody reading it.
    deadline = time.monotonic() + 60
    while int(stopped.info()["engine_puts"]) < 200:
        expect(time.monotonic() < deadline, "node 3 took %s", stopped.info()["engine_puts"])
        time.sleep(0.1)


def check_drain_under_load(cluster):
    """What was acknowledged before SIGTERM took effect is there afterwards."""
    node = cluster.nodes[0]
    resp = node.connect()
    acknowledged = 0
    resp.socket.sendall(b"".join(resp.encode("SET", "drain%d" % i, i) for i in range(3000)))
    for _ in range(300):
        expect(resp.read() == b"OK", "SET")
        acknowledged += 1
    node.process.terminate()
    refused = 0
    try:
        while acknowledged + refused < 3000:
            try:
                expect(resp.read() == b"OK", "SET")
                expect(refused == 0, "a SET was taken after another was refused")
                acknowledged += 1
            except RespError as error:
                expect(error.kind in ("TRYAGAIN", "NOTAPPLIED", "UNKNOWN"), "SET: %s", error)
                refused += 1
    except ConnectionError:
        pass
    expect(node.await_exit() == 0, "SIGTERM under load: exit code 0\n%s", node.log_text())
    node.start()
    with cluster.nodes[1].connect() as other:
        for i in range(acknowledged):
            expect(other.call("GET", "drain%d" % i) == b"%d" % i, "drain%d is lost", i)


def main():
    binary, hiredis_client = sys.argv[1:3]
    random.seed(1)
    with Cluster(binary) as cluster:
        check_redis_cli(cluster)
        check_redis_benchmark(cluster)
        check_python_redis(cluster)
        check_hiredis(cluster, hiredis_client)
        check_pipelining(cluster)
        check_siblings(cluster)
        check_quorum_without_a_node(cluster)
        check_drain_under_load(cluster)
        for node in cluster.nodes:
            expect(node.stop() == 0, "SIGTERM: exit code 0\n%s", node.log_text())
    print("three_process_test: all well")


if __name__ == "__main__":
    main()
