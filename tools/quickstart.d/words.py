"""The second half of quickstart: real data into a real cluster, under kill -9.

usage: words.py --words FILE --dir DIR --local-cluster PATH

Loads a list of words into the cluster that local-cluster runs in DIR, kills its nodes one after
the other while it goes on reading and writing, and verifies every acknowledged write.

A value says whose it is and which version: "WORD VERSION CHECKSUM". Each word is written by one
write at a time, so the versions that may be read of it are: the last acknowledged one, or a later
one whose reply never came. Nothing older, and nothing else.
"""

import argparse
import collections
import random
import re
import socket
import subprocess
import sys
import time
import zlib

BATCH = 100
PROGRESS_SECONDS = 0.2


class Progress:
    """A bar on a terminal; elsewhere a line for every tenth."""

    def __init__(self, label, total, unit):
        self.label, self.total, self.unit = label, total, unit
        self.started = self.drawn = time.monotonic()
        self.tenth = 0
        self.live = sys.stdout.isatty()

    def rate(self, done):
        return done / max(time.monotonic() - self.started, 1e-6)

    def show(self, done):
        now = time.monotonic()
        if self.live and now - self.drawn >= PROGRESS_SECONDS:
            self.drawn = now
            self.draw(done)
        elif not self.live and done * 10 // self.total > self.tenth:
            self.tenth = done * 10 // self.total
            print("  %s: %d of %d %s" % (self.label, done, self.total, self.unit), flush=True)

    def draw(self, done):
        filled = 30 * done // self.total
        sys.stdout.write("\r  %s [%s%s] %d of %d %s, %d a second " % (
            self.label, "#" * filled, "." * (30 - filled), done, self.total, self.unit,
            self.rate(done)))
        sys.stdout.flush()

    def end(self, done):
        if self.live:
            self.draw(done)
            print()


class Connection:
    """One node's client port. Pipelines; errors come back as str, bulk strings as bytes."""

    def __init__(self, port):
        self.stream = socket.create_connection(("127.0.0.1", port), timeout=15)
        self.file = self.stream.makefile("rb", buffering=1 << 18)

    def close(self):
        self.file.close()
        self.stream.close()

    def send(self, commands):
        out = []
        for words in commands:
            out.append(b"*%d\r\n" % len(words))
            for word in words:
                out.append(b"$%d\r\n%s\r\n" % (len(word), word))
        self.stream.sendall(b"".join(out))

    def read(self):
        line = self.file.readline()
        if not line.endswith(b"\n"):
            raise ConnectionError("the node closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"$":
            return None if rest == b"-1" else self.file.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return [self.read() for _ in range(int(rest))]
        if kind == b":":
            return int(rest)
        return rest.decode()


class Word:
    __slots__ = ("text", "written", "acknowledged", "unknown")

    def __init__(self, text):
        self.text = text
        self.written = 0        # the newest version that was sent
        self.acknowledged = 0   # 0: none
        self.unknown = []       # versions without an answer, newer than the acknowledged one

    def next_value(self):
        self.written += 1
        body = b"%s %d" % (self.text, self.written)
        return b"%s %08x" % (body, zlib.crc32(body))

    def version_in(self, value):
        """The version, or None if this is no value of this word."""
        body, _, checksum = value.rpartition(b" ")
        text, _, version = body.rpartition(b" ")
        if text != self.text or checksum != b"%08x" % zlib.crc32(body):
            return None
        return int(version)

    def is_acceptable(self, versions):
        if self.acknowledged in versions or (self.acknowledged == 0 and not versions):
            return True
        return any(version in versions for version in self.unknown)


class Traffic:
    """Batches of reads and writes on whichever nodes answer."""

    def __init__(self, ports, words):
        self.ports = ports
        self.words = words
        self.connections = {}
        self.retry_at = collections.defaultdict(float)
        self.counts = collections.Counter()
        self.faults = []
        self.random = random.Random(2026)

    def connection(self, number):
        """The connection to node `number` (from 0), or None while it does not answer."""
        if number not in self.connections and time.monotonic() >= self.retry_at[number]:
            try:
                self.connections[number] = Connection(self.ports[number])
            except OSError:
                self.retry_at[number] = time.monotonic() + 0.1
        return self.connections.get(number)

    def drop(self, number):
        self.connections.pop(number).close()

    def batch(self, number, writes, reads):
        """One pipelined batch; False if the node does not answer."""
        connection = self.connection(number)
        if connection is None:
            return False
        commands = [(b"SET", word.text, word.next_value()) for word in writes]
        commands += [(b"KV.GET", word.text) for word in reads]
        answered = 0
        try:
            connection.send(commands)
            for word in writes:
                self.take_write(word, connection.read())
                answered += 1
            for word in reads:
                self.take_read(word, connection.read())
        except OSError:
            for word in writes[answered:]:
                word.unknown.append(word.written)
                self.counts["unknown"] += 1
            self.drop(number)
            return False
        return True

    def take_write(self, word, reply):
        if reply == "OK":
            word.acknowledged = word.written
            word.unknown = []
            self.counts["acknowledged"] += 1
        elif reply.startswith("UNKNOWN"):
            word.unknown.append(word.written)
            self.counts["unknown"] += 1
        else:
            self.counts["refused"] += 1

    def take_read(self, word, reply):
        if isinstance(reply, str):
            self.counts["unanswered reads"] += 1
            return False
        self.counts["reads"] += 1
        versions = [word.version_in(value) for value in reply[1]]
        if len(versions) > 1:
            self.counts["siblings"] += 1
        if None in versions or not word.is_acceptable(versions):
            self.faults.append("%s: read %r, acknowledged version %d, unknown %r" %
                               (word.text.decode(), reply[1], word.acknowledged, word.unknown))
        return True

    def mixed(self, number):
        chosen = self.random.sample(self.words, BATCH)
        return self.batch(number, chosen[:BATCH // 2], chosen[BATCH // 2:])

    def mixed_for(self, seconds, until=None):
        """Mixed batches on random nodes; `until` may end it, the seconds must have passed."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline or (until is not None and not until()):
            if not self.mixed(self.random.randrange(len(self.ports))):
                time.sleep(0.001)


def load(traffic):
    progress = Progress("loading", len(traffic.words), "pairs")
    todo = collections.deque(traffic.words)
    number = 0
    while todo:
        number = (number + 1) % len(traffic.ports)
        batch = [todo.popleft() for _ in range(min(BATCH, len(todo)))]
        if not traffic.batch(number, batch, []):
            time.sleep(0.01)
        todo.extend(word for word in batch if word.acknowledged == 0)
        progress.show(len(traffic.words) - len(todo))
    progress.end(len(traffic.words))
    return progress.rate(len(traffic.words))


def kill_each(traffic, script, directory):
    for number in range(1, len(traffic.ports) + 1):
        traffic.mixed_for(0.5)
        before = traffic.counts["acknowledged"] + traffic.counts["reads"]
        started = time.monotonic()
        subprocess.run([script, "kill", directory, str(number)], check=True,
                       stdout=subprocess.DEVNULL)
        traffic.mixed_for(2.0)
        served = traffic.counts["acknowledged"] + traffic.counts["reads"] - before
        seconds = time.monotonic() - started
        restarted = subprocess.Popen([script, "restart", directory, str(number)],
                                     stdout=subprocess.DEVNULL)
        traffic.mixed_for(0, until=lambda: restarted.poll() is not None)
        if restarted.returncode != 0:
            raise SystemExit("node %d did not start again" % number)
        print("  node %d killed (-9); the other two served %d requests in the %.1f s without it; "
              "it is back" % (number, served, seconds), flush=True)
        traffic.mixed_for(0.5)


def verify(traffic):
    progress = Progress("verifying", len(traffic.words), "words")
    todo = collections.deque(traffic.words)
    done = number = 0
    while todo:
        number = (number + 1) % len(traffic.ports)
        batch = [todo.popleft() for _ in range(min(BATCH, len(todo)))]
        before = traffic.counts["reads"]
        if not traffic.batch(number, [], batch) or traffic.counts["reads"] - before < len(batch):
            todo.extend(batch)  # a read that got no answer verified nothing
            time.sleep(0.05)
            continue
        done += len(batch)
        progress.show(done)
    progress.end(done)


def main():
    parser = argparse.ArgumentParser()
    for name in ("--words", "--dir", "--local-cluster"):
        parser.add_argument(name, required=True)
    arguments = parser.parse_args()
    with open(arguments.words, "rb") as file:
        words = [Word(text) for text in dict.fromkeys(file.read().split())]
    status = subprocess.run([arguments.local_cluster, "status", arguments.dir], check=True,
                            stdout=subprocess.PIPE).stdout.decode()
    ports = [int(port) for port in re.findall(r"client 127\.0\.0\.1:(\d+)", status)]

    traffic = Traffic(ports, words)
    rate = load(traffic)
    print("  %d pairs loaded and acknowledged, %d a second" % (len(words), rate), flush=True)
    traffic.counts.clear()
    kill_each(traffic, arguments.local_cluster, arguments.dir)
    during = collections.Counter(traffic.counts)
    verify(traffic)
    if traffic.faults:
        print("  WRONG: %d reads did not return what they must. The first ones:" %
              len(traffic.faults))
        for fault in traffic.faults[:10]:
            print("    " + fault)
        sys.exit(1)
    print("  during the kills: %d writes acknowledged, %d of unknown fate (the node died before it\n"
          "  answered), %d refused, %d reads, all checked" %
          (during["acknowledged"], during["unknown"], during["refused"], during["reads"]))
    print("  all %d words have their last acknowledged value: nothing was lost" % len(words))


if __name__ == "__main__":
    main()
