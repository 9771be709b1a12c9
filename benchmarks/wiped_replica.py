"""A replica that lost its disk comes back through anti-entropy alone: how long, how many bytes and
messages, and what the clients of the other two notice.

usage: bazel run --config=release //benchmarks:wiped_replica -- [--quick] [--keys N] [--json FILE]

Three nornd on this machine (n=3, r=w=2, synced writes, the default rates) hold N keys (1,000,000;
--quick: 100,000) of 100 bytes. Clients of nodes 1 and 2 read and write random keys at a fixed rate;
a latency counts from when the request was due, so one that waits behind another is not forgotten.
Then node 3 is killed, its directory removed, and it is started again.

  before   all three serve
  during   from the start of the empty node 3 until it is complete in all partitions, by its INFO
  after    as long as before

At the end nobody writes, and node 3 compares all its Merkle trees with both peers: only when all
roots are equal is it called whole.

The limit: the N records have to cross the network once, at the rate that exchange_bytes_per_second
sets (32 MiB/s by default), and to reach the disk twice (log and table). What this disk takes, in
one file written from front to back and synced, is measured beside it. All three nodes and the
clients share this machine's cores; on three machines each has its own.
"""

import argparse
import json
import multiprocessing
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

VALUE_BYTES = 100
PHASE_SECONDS = 15
RATE = 100  # a second, of reads and of writes, at each of the two nodes
LOADERS = 2
BATCH = 256
LIMIT_SECONDS = 1800  # nothing here waits longer
PEERS = (1, 2)
WIPED = 3


def key_of(number):
    return b"user:%08d" % number


def command(*words):
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)


class Connection:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stream = self.socket.makefile("rb", 1 << 16)

    def send(self, data):
        self.socket.sendall(data)

    def reply(self):
        """A line, or bytes, or None; an error is a RuntimeError."""
        line = self.stream.readline()
        if not line:
            raise ConnectionError("the node closed the connection")
        if line[:1] == b"-":
            raise RuntimeError(line.decode().strip())
        if line[:1] != b"$":
            return line[1:-2]
        length = int(line[1:])
        return None if length < 0 else self.stream.read(length + 2)[:-2]

    def call(self, *words):
        self.send(command(*words))
        return self.reply()


class Cluster:
    def __init__(self, tools, home):
        self.script, self.home = tools["local-cluster"], home
        out = self.run("start", "3", home, "--binary", tools["nornd"], "--bucket", "n=3,r=2,w=2")
        self.ports = [int(port) for port in re.findall(r"client 127\.0\.0\.1:(\d+)", out)]

    def run(self, *arguments):
        return subprocess.run([self.script, *arguments], check=True,
                              stdout=subprocess.PIPE).stdout.decode()

    def port(self, node):
        return self.ports[node - 1]

    def info(self, node):
        connection = Connection(self.port(node))
        text = connection.call(b"INFO").decode()
        connection.socket.close()
        return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)

    def usage(self, node):
        """Seconds of processor time, and bytes handed to the disk."""
        with open(os.path.join(self.home, "node-%d" % node, "pid")) as file:
            pid = int(file.read())
        with open("/proc/%d/stat" % pid) as file:
            fields = file.read().rsplit(")", 1)[1].split()
        with open("/proc/%d/io" % pid) as file:
            written = int(re.search(r"write_bytes: (\d+)", file.read()).group(1))
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), written


    def errors(self):
        """Lines of the nodes' logs that tell of an error."""
        lines = []
        for node in PEERS + (WIPED,):
            with open(os.path.join(self.home, "node-%d" % node, "log")) as file:
                lines += [line.strip() for line in file if " error " in line]
        return lines


def messages_of(info):
    """Sent and received by a node, of all kinds."""
    counts = re.findall(r"(?:sent|received)=(\d+)",
                        " ".join(value for name, value in info.items() if
                                 re.fullmatch(r"member_\d+", name)))
    return sum(int(count) for count in counts)


# ---- Clients -------------------------------------------------------------------------------


def load(port, first, end):
    connection = Connection(port)
    for start in range(first, end, BATCH):
        batch = range(start, min(start + BATCH, end))
        values = os.urandom(VALUE_BYTES * len(batch))
        connection.send(b"".join(
            command(b"SET", key_of(number), values[i * VALUE_BYTES:(i + 1) * VALUE_BYTES])
            for i, number in enumerate(batch)))
        for _ in batch:
            connection.reply()


def load_all(cluster, keys):
    bounds = [keys * i // LOADERS for i in range(LOADERS + 1)]
    loaders = [multiprocessing.Process(target=load, args=(
        cluster.port(PEERS[i % 2]), bounds[i], bounds[i + 1])) for i in range(LOADERS)]
    for loader in loaders:
        loader.start()
    for loader in loaders:
        loader.join()
        if loader.exitcode != 0:
            raise SystemExit("the keys could not be loaded")


def one_client(port, writes, keys, seed, stop, samples):
    choose = random.Random(seed)
    connection = Connection(port)
    due = time.monotonic() + choose.random() / RATE
    while not stop.is_set():
        time.sleep(max(0.0, due - time.monotonic()))
        key = key_of(choose.randrange(keys))
        error = None
        try:
            if writes:
                connection.call(b"SET", key, os.urandom(VALUE_BYTES))
            elif connection.call(b"GET", key) is None:
                error = "a key is missing"
        except RuntimeError as failure:
            error = str(failure)
        except ConnectionError as failure:
            error = str(failure)
            stop.set()
        samples.append((due, writes, (time.monotonic() - due) * 1000, error))
        due += 1 / RATE


def clients(ports, keys, stop, out):
    """A process of its own: reads and writes at both nodes."""
    samples = []
    threads = [threading.Thread(target=one_client, args=(port, writes, keys, seed, stop, samples))
               for seed, (port, writes) in enumerate((p, w) for p in ports for w in (False, True))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    out.send(samples)


def latencies(samples, begin, end):
    figures = {}
    for writes, name in ((False, "read"), (True, "write")):
        taken = sorted(ms for due, w, ms, error in samples
                       if w == writes and begin <= due < end and error is None)
        for percent in (50, 99):
            figures["%s p%d" % (name, percent)] = (
                round(taken[min(len(taken) - 1, len(taken) * percent // 100)], 2) if taken else 0)
    figures["errors"] = sum(1 for due, _, _, error in samples if begin <= due < end and error)
    return figures


# ---- The run -------------------------------------------------------------------------------


def wait_for(what, holds):
    end = time.monotonic() + LIMIT_SECONDS
    while not holds():
        if time.monotonic() > end:
            raise SystemExit("gave up after %d s: %s" % (LIMIT_SECONDS, what))
        time.sleep(0.1)


def at_rest(info):
    return info["jobs_outstanding"] == "0" and info["trees_building"] == "0"


def settle(cluster):
    for node in PEERS + (WIPED,):
        wait_for("node %d does not come to rest" % node, lambda: at_rest(cluster.info(node)))


def disk_seconds(directory, size):
    """What it takes to write so many bytes from front to back, durably."""
    chunk = os.urandom(1 << 20)
    path = os.path.join(directory, "front-to-back")
    begin = time.monotonic()
    with open(path, "wb", buffering=0) as file:
        for _ in range(-(-size // len(chunk))):
            file.write(chunk)
        os.fsync(file.fileno())
    taken = time.monotonic() - begin
    os.remove(path)
    return taken


def compare_roots(cluster):
    """Until node 3 has found all roots equal, once round both peers, and no range that differs."""
    begun = [cluster.info(WIPED)]
    around = len(PEERS) * int(begun[0]["partitions_held"])

    def equal():
        now = cluster.info(WIPED)
        if now["exchange_ranges"] != begun[0]["exchange_ranges"]:
            begun[0] = now  # something was mended still: once more
        return int(now["exchange_roots_equal"]) - int(begun[0]["exchange_roots_equal"]) >= around
    wait_for("the trees of node 3 differ from its peers'", equal)


def run(cluster, scratch, keys):
    begin = time.monotonic()
    load_all(cluster, keys)
    settle(cluster)
    print("%d keys loaded in %.0f s" % (keys, time.monotonic() - begin), file=sys.stderr)
    payload = keys * (len(key_of(0)) + VALUE_BYTES)
    disk = disk_seconds(scratch, payload)

    stop = multiprocessing.Event()
    receiver, sender = multiprocessing.Pipe(duplex=False)
    client = multiprocessing.Process(target=clients, args=(
        [cluster.port(node) for node in PEERS], keys, stop, sender), daemon=True)
    client.start()
    marks = [time.monotonic() + 1]
    time.sleep(1 + PHASE_SECONDS)
    marks.append(time.monotonic())

    cluster.run("kill", cluster.home, str(WIPED))
    shutil.rmtree(os.path.join(cluster.home, "node-%d" % WIPED, "data"))
    peers = {node: (cluster.usage(node), cluster.info(node)) for node in PEERS}
    marks.append(time.monotonic())
    cluster.run("restart", cluster.home, str(WIPED))
    progress = []

    def whole():
        now = cluster.info(WIPED)
        count = int(now["partitions_complete"])
        if not progress or progress[-1][1] != count:
            progress.append((time.monotonic() - marks[2], count))
        return count == int(now["partitions_held"])
    wait_for("node 3 is not complete", whole)
    marks.append(time.monotonic())
    rebuilt, usage = cluster.info(WIPED), cluster.usage(WIPED)
    cpu = {node: cluster.usage(node)[0] - peers[node][0][0] for node in PEERS}
    idle_from = messages_of(rebuilt)
    time.sleep(PHASE_SECONDS)
    idle = (messages_of(cluster.info(WIPED)) - idle_from) / PHASE_SECONDS
    marks.append(time.monotonic())
    stop.set()
    samples = receiver.recv()
    client.join()
    compare_roots(cluster)

    seconds = marks[3] - marks[2]
    rebuild = {
        "time, s": round(seconds, 1),
        "time at the default rate, s": round(payload / (32 << 20), 1),
        "time of the disk, log and table, s": round(2 * disk, 1),
        "records taken": int(rebuilt["exchange_records"]),
        "exchange, MB": round(int(rebuilt["exchange_bytes"]) / 1e6, 1),
        "keys and values, MB": round(payload / 1e6, 1),
        "messages": max(0, round(messages_of(rebuilt) - idle * seconds)),
        "written by node 3, MB": round(usage[1] / 1e6, 1),
        "processor of node 3, s": round(usage[0], 1),
        "processor of its peers, s": round(sum(cpu.values()), 1),
        "exchanges cut short": int(rebuilt["exchanges_failed"]),
        "errors in the logs": len(cluster.errors()),
    }
    for line in cluster.errors()[:5]:
        print(line, file=sys.stderr)
    phases = {"before": (marks[0], marks[1]), "during": (marks[2], marks[3]),
              "after": (marks[3], marks[4])}
    return rebuild, {name: latencies(samples, *span) for name, span in phases.items()}, progress


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="100,000 keys")
    parser.add_argument("--keys", type=int, help="so many keys")
    parser.add_argument("--json", metavar="FILE", help="write the rows there")
    parser.add_argument("--nornd", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--local-cluster", required=True, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    keys = arguments.keys or (100_000 if arguments.quick else 1_000_000)
    scratch = tempfile.mkdtemp(prefix="norn-wiped-")
    home = os.path.join(scratch, "cluster")
    cluster = None
    try:
        cluster = Cluster({"nornd": arguments.nornd, "local-cluster": arguments.local_cluster}, home)
        rebuild, phases, progress = run(cluster, scratch, keys)
    finally:
        if cluster is not None:
            subprocess.run([cluster.script, "stop", home], stdout=subprocess.DEVNULL)
        shutil.rmtree(scratch, ignore_errors=True)

    for name, value in rebuild.items():
        print("%-38s %12s" % (name, value))
    print("complete partitions: " + ", ".join(
        "%d at %.1f s" % (count, at) for at, count in progress[::max(1, len(progress) // 8)]))
    names = list(phases["before"])
    print("\n%-10s" % "ms" + "".join("%12s" % name for name in names))
    for phase, figures in phases.items():
        print("%-10s" % phase + "".join("%12s" % figures[name] for name in names))
    if arguments.json:
        rows = [{"name": name, "unit": name.split(", ")[-1], "better": "lower", "norn": value}
                for name, value in rebuild.items()]
        rows += [{"name": "%s %s" % (name, phase), "unit": "ms", "better": "lower", "norn": value}
                 for phase, figures in phases.items() for name, value in figures.items()]
        directory = os.environ.get("BUILD_WORKING_DIRECTORY", ".")
        with open(os.path.join(directory, arguments.json), "w") as file:
            json.dump({"rows": rows}, file, indent=1)


if __name__ == "__main__":
    main()
