"""Bad input of every kind: a clear error that names the thing, no crash, nothing stored lost."""

import os
import random
import socket
import subprocess
import sys
import time

from cluster import Cluster, Resp, RespError, expect, expect_match


def refuse(binary, arguments, *patterns, code=2):
    """nornd must end by itself with `code`, and say what the patterns ask for."""
    done = subprocess.run([binary] + arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=60)
    text = done.stderr.decode()
    expect(done.returncode == code, "nornd %s ended with %d, not %d:\n%s", arguments,
           done.returncode, code, text)
    for pattern in patterns:
        expect_match(pattern, text)


def throw(port, data, seconds=5.0):
    """Sends bytes and returns what comes back until the other side closes, or 0.3 s of silence."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as stream:
        answer = b""
        try:
            stream.sendall(data)
            stream.settimeout(0.3)
            while True:
                piece = stream.recv(65536)
                if not piece:
                    return answer, True
                answer += piece
        except socket.timeout:
            return answer, False
        except OSError:
            return answer, True


def check_usage(binary, home):
    refuse(binary, [], "usage:")
    refuse(binary, ["--confg", "x"], "--confg", "usage:")
    refuse(binary, ["--config"], "needs a file")
    refuse(binary, ["--config", os.path.join(home, "none")], "none: cannot read")
    done = subprocess.run([binary, "--version"], stdout=subprocess.PIPE, check=True)
    expect_match(r"^nornd \d+\.\d+", done.stdout.decode())


def check_config(binary, node):
    with open(node.config) as config:
        good = config.read()
    bad = os.path.join(node.home, "bad.textproto")

    def with_config(text, *patterns):
        with open(bad, "w") as config:
            config.write(text)
        refuse(binary, ["--config", bad], *patterns)
        refuse(binary, ["--config", bad, "--check-config"], *patterns)

    with_config(good.replace("  secret:", "  sekret:"), r"bad.textproto:3:\d+: .*sekret")
    with_config(good.replace("w: 2", "w: 4"), r"bad.textproto:7:\d+: .*w is 4.*1 to n")
    with_config(good.replace("n: 3", "n: 5"), r"bad.textproto:7:\d+: .*n is 5.*3 members")
    with_config(good.replace("  id: 1\n", "  id: 9\n"), r"bad.textproto:10:\d+: .*9")
    with_config(good + "}", r"bad.textproto:\d+:\d+: ")
    done = subprocess.run([binary, "--check-config", "--config", node.config],
                          stdout=subprocess.PIPE, check=True)
    expect_match("is valid", done.stdout.decode())


def check_data_directories(cluster, binary):
    first, second = cluster.nodes[0], cluster.nodes[1]
    bucket = {"n": 3, "r": 2, "w": 2}
    other_home = os.path.join(cluster.dir, "other.textproto")
    own = second.config
    try:
        second.config = other_home
        data = os.path.join(first.home, "data")
        # While its owner runs: locked.
        cluster.write_config(second, bucket, data=data)
        refuse(binary, ["--config", other_home], data, "(?i)lock|use")
        # Another node's, another cluster's.
        expect(first.stop() == 0 and second.stop() == 0, "SIGTERM")
        refuse(binary, ["--config", other_home], data, "test/1", "test/2")
        cluster.write_config(second, bucket, data=data, name="elsewhere")
        refuse(binary, ["--config", other_home], data, "test/1", "elsewhere/2")
        # No directory at all.
        cluster.write_config(second, bucket, data=os.path.join(first.home, "log"))
        refuse(binary, ["--config", other_home], os.path.join(first.home, "log"))
    finally:
        second.config = own
    first.start()
    second.start()
    cluster.await_links()


def check_ports_in_use(cluster, binary):
    first, third = cluster.nodes[0], cluster.nodes[2]
    expect(third.stop() == 0, "SIGTERM")
    own = third.client_port, third.peer_port
    bucket = {"n": 3, "r": 2, "w": 2}
    third.client_port = first.client_port
    cluster.write_config(third, bucket)
    refuse(binary, ["--config", third.config], "client", str(first.client_port), "in use|choose")
    third.client_port = own[0]
    cluster.write_config(third, bucket, 'peer_listen: "127.0.0.1:%d"' % first.peer_port)
    refuse(binary, ["--config", third.config], "peer", str(first.peer_port), "in use|choose")
    cluster.write_config(third, bucket)
    third.start()
    cluster.await_links()


def check_garbage_to_peers(cluster):
    rng = random.Random(7)
    hello = b"NORN-P2P"
    for data in (b"GET / HTTP/1.0\r\n\r\n", hello, hello + b"\xff" * 64, b"\x00" * 4096,
                 hello + (2 ** 31).to_bytes(4, "little") + b"\x00" * 100,
                 bytes(rng.getrandbits(8) for _ in range(100000)),
                 hello + bytes(rng.getrandbits(8) for _ in range(5000))):
        throw(cluster.nodes[0].peer_port, data)
    expect_match("refused a connection from 127.0.0.1", cluster.nodes[0].log_text())


def check_garbage_to_clients(cluster):
    port = cluster.nodes[0].client_port
    rng = random.Random(8)
    for data in (b"*1\r\n$99999999999\r\n", b"*99999999999\r\n", b"*1\r\nhello\r\n", b"*-5x\r\n",
                 b"*2\r\n$3\r\nGET\r\n$-1\r\n", b"a" * 200000):
        answer, closed = throw(port, data)
        expect(closed and answer.startswith(b"-ERR"), "%r was answered %r%s", data[:40],
               answer[:200], "" if closed else ", and the connection left open")
    for _ in range(50):
        throw(port, bytes(rng.getrandbits(8) for _ in range(rng.randrange(1, 3000))))
    answer, _ = throw(port, b"PING\r\n")
    expect(answer == b"+PONG\r\n", "PING after garbage answered %r", answer)


def check_oversized(cluster):
    with cluster.nodes[0].connect() as resp:
        for words, names in (((b"SET", b"k" * 16385, b"v"), "key.*16384"),
                             ((b"SET", b"k", b"v" * (1048576 + 1)), "value.*1048576"),
                             ((b"GET", b"k" * 20000), "key.*16384")):
            try:
                resp.call(*words)
            except RespError as error:
                expect_match("(?i)" + names, str(error))
            else:
                raise AssertionError("an oversized %s was taken" % words[0])
        # The limits themselves are within.
        expect(resp.call("SET", b"k" * 16384, b"v" * 1048576) == b"OK", "the greatest pair")
        expect(resp.call("GET", b"k" * 16384) == b"v" * 1048576, "the greatest pair")
        expect(resp.call("GET", "k") is None, "nothing of the oversized was stored")


def check_damaged_log(binary):
    """One flipped bit in the log: the node says so, opens, and serves what is whole."""
    with Cluster(binary, n=1) as cluster:
        node = cluster.nodes[0]
        with node.connect() as resp:
            for i in range(500):
                resp.call("SET", "k%d" % i, "v" * 100)
        node.kill()
        data = os.path.join(node.home, "data")
        logs = [os.path.join(data, name) for name in os.listdir(data) if name.endswith(".wal")]
        expect(logs, "no log among %s", os.listdir(data))
        with open(max(logs, key=os.path.getsize), "r+b") as log:
            size = log.seek(0, os.SEEK_END)
            at = size // 2
            log.seek(at)
            byte = log.read(1)[0]
            log.seek(at)
            log.write(bytes([byte ^ 0x10]))
        node.start()
        info = node.info()
        expect(info["recovered_suspect"] == "yes" or "possibly_lost_from" in info,
               "the damage is not reported: %s", info)
        expect_match(r"\.wal", node.log_text())
        with node.connect() as resp:
            whole = 0
            for i in range(500):
                value = resp.call("GET", "k%d" % i)
                expect(value in (None, b"v" * 100), "k%d is %r", i, value)
                whole += value is not None
            expect(whole > 0, "nothing before the damage is there")
            expect(resp.call("SET", "after", "x") == b"OK", "SET after the damage")
        expect(node.stop() == 0, "SIGTERM")


def main():
    binary = os.path.abspath(sys.argv[1])
    with Cluster(binary) as cluster:
        with cluster.nodes[0].connect() as resp:
            for i in range(300):
                expect(resp.call("SET", "kept%d" % i, i) == b"OK", "SET")
        pids = [node.process.pid for node in cluster.nodes]
        check_usage(binary, cluster.dir)
        check_config(binary, cluster.nodes[0])
        check_garbage_to_peers(cluster)
        check_garbage_to_clients(cluster)
        check_oversized(cluster)
        expect(pids == [node.process.pid for node in cluster.nodes] and
               all(node.process.poll() is None for node in cluster.nodes), "a node has crashed")
        check_data_directories(cluster, binary)
        check_ports_in_use(cluster, binary)
        for node in cluster.nodes:
            with node.connect() as resp:
                for i in range(300):
                    expect(resp.call("GET", "kept%d" % i) == b"%d" % i, "kept%d is lost", i)
        for node in cluster.nodes:
            expect(node.stop() == 0, "SIGTERM\n%s", node.log_text())
    check_damaged_log(binary)
    print("bad_input_test: all well")


if __name__ == "__main__":
    main()
