"""Real nornd processes on loopback, and a small RESP client, for the tests of this folder.

Everything a cluster makes lies in its directory: one folder per node with configuration, data,
log and standard output. Leaving `with Cluster(...)` ends every process that it started.
"""

import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

READY_SECONDS = 60


class RespError(Exception):
    """An error reply. `.kind` is its first word: ERR, TRYAGAIN, NOTAPPLIED, UNKNOWN, ..."""

    @property
    def kind(self):
        return str(self).split(" ", 1)[0]


class Resp:
    """A connection that speaks RESP. Replies: bytes, int, None, list, dict; errors are raised."""

    def __init__(self, port, timeout=15.0):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb")

    def close(self):
        self.file.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @staticmethod
    def encode(*words):
        out = [b"*%d\r\n" % len(words)]
        for word in words:
            if not isinstance(word, bytes):
                word = str(word).encode()
            out.append(b"$%d\r\n%s\r\n" % (len(word), word))
        return b"".join(out)

    def send(self, *words):
        self.socket.sendall(self.encode(*words))

    def call(self, *words):
        self.send(*words)
        return self.read()

    def pipeline(self, commands):
        """Sends all, then reads all. Errors are returned, not raised."""
        self.socket.sendall(b"".join(self.encode(*words) for words in commands))
        replies = []
        for _ in commands:
            try:
                replies.append(self.read())
            except RespError as error:
                replies.append(error)
        return replies

    def read(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the connection ended")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest
        if kind == b"-":
            raise RespError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"_":
            return None
        if kind == b"#":
            return rest == b"t"
        if kind in b"$=":
            if rest == b"-1":
                return None
            data = self.file.read(int(rest) + 2)
            if len(data) != int(rest) + 2:
                raise ConnectionError("the connection ended")
            return data[:-2] if kind == b"$" else data[4:-2]
        if kind in b"*~>":
            return None if rest == b"-1" else [self.read() for _ in range(int(rest))]
        if kind == b"%":
            return {self.read(): self.read() for _ in range(int(rest))}
        raise ConnectionError("not RESP: %r" % line)


class Versions:
    """The reply of KV.GET."""

    def __init__(self, reply):
        self.context, self.values, self.replicas = reply[:3]


def free_ports(count):
    """Ports nobody listens on, below the range from which outgoing connections take theirs."""
    found = []
    while len(found) < count:
        port = random.SystemRandom().randrange(15000, 31000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in found:
            found.append(port)
    return found


class Node:
    def __init__(self, cluster, number, client_port, peer_port):
        self.cluster = cluster
        self.number = number
        self.client_port = client_port
        self.peer_port = peer_port
        self.home = os.path.join(cluster.dir, "node-%d" % number)
        self.config = os.path.join(self.home, "nornd.textproto")
        self.log = os.path.join(self.home, "log")
        self.process = None
        self.out = None
        os.makedirs(self.home)

    def start(self, wait=True):
        assert self.process is None
        out = open(os.path.join(self.home, "out"), "w+b")
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([self.cluster.binary, "--config", self.config],
                                            stdin=subprocess.DEVNULL, stdout=out, stderr=log)
        self.out = out
        if wait:
            self.await_ready()

    def await_ready(self):
        deadline = time.monotonic() + READY_SECONDS
        while True:
            with open(self.out.name, "rb") as out:
                if out.read().startswith(b"nornd ready"):
                    return
            if self.process.poll() is not None:
                raise AssertionError("node %d ended with %d before it was ready:\n%s" %
                                     (self.number, self.process.returncode, self.log_text()))
            if time.monotonic() > deadline:
                raise AssertionError("node %d is not ready:\n%s" % (self.number, self.log_text()))
            time.sleep(0.005)

    def _gone(self):
        code = self.process.returncode
        self.process = None
        self.out.close()
        return code

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        return self._gone()

    def stop(self, timeout=30):
        """SIGTERM; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.await_exit(timeout)

    def await_exit(self, timeout=30):
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("node %d ignored SIGTERM:\n%s" % (self.number, self.log_text()))
        return self._gone()

    def connect(self, timeout=15.0):
        return Resp(self.client_port, timeout)

    def info(self):
        with self.connect() as resp:
            text = resp.call("INFO").decode()
        return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)

    def log_text(self):
        with open(self.log, errors="replace") as log:
            return log.read()[-8000:]


class Cluster:
    """`n` nodes. `bucket`: settings of bucket 0; `node`: more text for each node's `node` block."""

    def __init__(self, binary, n=3, bucket=None, node="", storage="", name="test", start=True,
                 dir=None):
        self.binary = os.path.abspath(binary)
        self.dir = tempfile.mkdtemp(prefix="norn-", dir=dir or os.environ.get("TEST_TMPDIR"))
        self.name = name
        bucket = bucket or {"n": min(n, 3), "r": min(n, 3) // 2 + 1, "w": min(n, 3) // 2 + 1}
        ports = free_ports(2 * n)
        self.nodes = [Node(self, i + 1, ports[2 * i], ports[2 * i + 1]) for i in range(n)]
        for each in self.nodes:
            self.write_config(each, bucket, node, storage)
        if start:
            self.start()

    def write_config(self, node, bucket, node_text="", storage_text="", name=None, data="data"):
        with open(node.config, "w") as config:
            config.write('cluster {\n  name: "%s"\n  secret: "of the test"\n' % (name or self.name))
            for each in self.nodes:
                config.write('  member { id: %d address: "127.0.0.1:%d" }\n' %
                             (each.number, each.peer_port))
            config.write("  bucket { %s }\n}\n" %
                         " ".join("%s: %d" % item for item in bucket.items()))
            config.write('node {\n  id: %d\n  client_listen: "127.0.0.1:%d"\n  data_dir: "%s"\n' %
                         (node.number, node.client_port, data))
            config.write("  %s\n}\nstorage { %s }\n" % (node_text, storage_text))

    def start(self):
        for node in self.nodes:
            node.start(wait=False)
        for node in self.nodes:
            node.await_ready()
        self.await_links()

    def await_links(self, seconds=30):
        """Until each running node counts every running node as alive."""
        running = [node for node in self.nodes if node.process is not None]
        deadline = time.monotonic() + seconds
        for node in running:
            while int(node.info()["members_alive"]) < len(running):
                if time.monotonic() > deadline:
                    raise AssertionError("node %d does not see its peers:\n%s" %
                                         (node.number, node.log_text()))
                time.sleep(0.02)

    def __enter__(self):
        return self

    def __exit__(self, failed, *_):
        for node in self.nodes:
            if node.process is not None:
                node.kill()
        if failed:
            for node in self.nodes:
                if os.path.exists(node.log):
                    print("---- log of node %d\n%s" % (node.number, node.log_text()))
        shutil.rmtree(self.dir, ignore_errors=True)


def run(arguments, **options):
    """Runs a command to its end and returns its standard output; fails if the command did."""
    done = subprocess.run(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=300, **options)
    if done.returncode != 0:
        raise AssertionError("%s ended with %d:\n%s%s" % (arguments, done.returncode,
                                                          done.stdout.decode(),
                                                          done.stderr.decode()))
    return done.stdout.decode()


def expect(condition, text, *arguments):
    if not condition:
        raise AssertionError(text % arguments if arguments else text)


def expect_match(pattern, text):
    expect(re.search(pattern, text), "%r is not in:\n%s", pattern, text)
