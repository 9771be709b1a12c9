"""Kill -9 of a random node, again and again, while the cluster is written and read.

usage: kill9_test.py NORND [--rounds N] [--seed S]     (or NORN_KILL_ROUNDS, NORN_KILL_SEED)

Each writer owns its keys and writes values that are never used twice, so the checker knows for
each key the last acknowledged value, and the writes whose fate is unknown. Claimed, and checked
on every read, during the kills and after them (strict quorums, R + W > N):

  * nothing is read that was not written to that key, nor a write that was refused for certain;
  * the last acknowledged value is there, unless a write of unknown fate replaced it;
  * what an acknowledged write with a context, or delete with a context, has replaced is gone.
"""

import argparse
import os
import random
import sys
import threading
import time

from cluster import Cluster, RespError, Versions, expect

WRITERS = 6
KEYS_PER_WRITER = 400
# A write whose reply was lost may take effect until its deadline has passed.
UNKNOWN_SECONDS = 5.0
DELETED = None


class Key:
    """What may be read of one key. Only its writer changes it."""

    def __init__(self, name):
        self.name = name
        self.acknowledged = DELETED  # the last value; before any write there is nothing
        self.unknown = []            # [(value, time)]: may yet replace it
        self.older = set()           # acknowledged before; a plain SET may leave them as siblings
        self.stray = set()           # of unknown fate and old; may surface as siblings
        self.history = []

    def tell(self, what):
        self.history.append("%.3f %s" % (time.monotonic(), what))

    def acknowledge(self, value, replaced):
        """`replaced`: the values whose context the write carried; None: it carried none."""
        horizon = time.monotonic() - UNKNOWN_SECONDS
        self.stray.update(v for v, when in self.unknown if when < horizon and v is not DELETED)
        self.unknown = [(v, when) for v, when in self.unknown if when >= horizon]
        if replaced is None:
            if self.acknowledged is not DELETED:
                self.older.add(self.acknowledged)
        else:
            # The read met every acknowledged value, and of the others those that it returned.
            self.older.clear()
            self.stray.difference_update(replaced)
            self.unknown = [(v, when) for v, when in self.unknown if v not in replaced]
        self.acknowledged = value
        self.tell("acknowledged %r" % value)

    def check(self, values, where):
        unknown = [value for value, _ in self.unknown]
        known = self.older.union(self.stray, unknown, (self.acknowledged,))
        problem = None
        for value in values:
            if value not in known:
                problem = "%r should not be there" % value
        lost = self.acknowledged is not DELETED and self.acknowledged not in values
        if lost and not unknown:
            problem = "the acknowledged value is not there"
        elif lost and DELETED not in unknown and not any(v in values for v in unknown):
            problem = "neither the acknowledged value nor one that may have replaced it is there"
        expect(problem is None, "%s of %s answered %r: %s\n  acknowledged %r, unknown %r, "
               "older %r, stray %r\n  %s", where, self.name, values, problem, self.acknowledged, unknown,
               self.older, self.stray, "\n  ".join(self.history[-30:]))


class Writer(threading.Thread):
    """Writes and reads its keys on a random node until told to stop."""

    def __init__(self, number, cluster, seed, stop):
        super().__init__(name="writer-%d" % number, daemon=True)
        self.number = number
        self.cluster = cluster
        self.random = random.Random(seed)
        self.stop = stop
        self.keys = [Key("w%d:k%d" % (number, i)) for i in range(KEYS_PER_WRITER)]
        self.serial = 0
        self.resp = None
        self.failure = None
        self.acknowledged = self.unknown = self.refused = self.reads = 0

    def run(self):
        try:
            while not self.stop.is_set():
                self.step(self.random.choice(self.keys))
        except BaseException as failure:  # pylint: disable=broad-except
            self.failure = failure
        finally:
            self.disconnect()

    def disconnect(self):
        if self.resp is not None:
            self.resp.close()
            self.resp = None

    def connect(self):
        while self.resp is None and not self.stop.is_set():
            try:
                self.resp = self.random.choice(self.cluster.nodes).connect()
            except OSError:
                time.sleep(0.005)
        return self.resp is not None

    def ask(self, *words):
        """(answered, reply): not answered if the connection broke or an error left it open."""
        try:
            return True, self.resp.call(*words)
        except RespError as error:
            if error.kind in ("NOTAPPLIED", "TRYAGAIN"):
                self.refused += 1
                return False, error.kind
            expect(error.kind in ("UNKNOWN", "UNAVAILABLE"), "%r answered %s", words, error)
        except OSError:
            self.disconnect()
        return False, None

    def step(self, key):
        if self.random.random() < 0.02:
            self.disconnect()  # so that the load moves to nodes that came back
        if not self.connect():
            return
        choice = self.random.random()
        if choice < 0.25:
            self.read(key)
        elif choice < 0.70:
            self.write(key, None)
        else:
            read = self.read(key)
            if read is not None and self.resp is not None:
                self.write(key, read, delete=choice > 0.95)

    def read(self, key):
        answered, reply = self.ask("KV.GET", key.name)
        if not answered:
            return None
        self.reads += 1
        read = Versions(reply)
        key.check(read.values, "a read during the kills")
        return read

    def write(self, key, read, delete=False):
        self.serial += 1
        value = DELETED if delete else b"%d.%d %s" % (self.number, self.serial, b"x" * 60)
        started = time.monotonic()
        if read is None:
            words = ("SET", key.name, value)
        else:
            # Without a context there is nothing to replace.
            context = ("CONTEXT", read.context) if read.context else ()
            words = ("KV.DEL", key.name) if delete else ("KV.PUT", key.name, value)
            words += context
        answered, reply = self.ask(*words)
        if answered:
            self.acknowledged += 1
            key.acknowledge(value, read.values if read is not None and read.context else None)
        elif reply is None:
            self.unknown += 1
            key.unknown.append((value, started))
            key.tell("unknown %r" % value)


def verify(cluster, writers):
    checked = 0
    for writer in writers:
        with cluster.nodes[writer.number % 3].connect() as resp:
            for key in writer.keys:
                key.check(Versions(resp.call("KV.GET", key.name)).values, "the final read")
                checked += 1
    return checked


def kill_rounds(cluster, rounds, rng, writers):
    for number in range(rounds):
        victim = rng.choice(cluster.nodes)
        time.sleep(rng.uniform(0.05, 0.3))
        victim.kill()
        time.sleep(rng.choice((0, rng.uniform(0, 0.4))))
        victim.start()
        if (number + 1) % 10 == 0 or number + 1 == rounds:
            print("round %d of %d: %d writes acknowledged, %d of unknown fate, %d reads" %
                  (number + 1, rounds, sum(w.acknowledged for w in writers),
                   sum(w.unknown for w in writers), sum(w.reads for w in writers)), flush=True)
        for writer in writers:
            if writer.failure is not None:
                raise writer.failure


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("nornd")
    parser.add_argument("--rounds", type=int, default=int(os.environ.get("NORN_KILL_ROUNDS", 20)))
    parser.add_argument("--seed", type=int, default=int(os.environ.get("NORN_KILL_SEED", 0)))
    arguments = parser.parse_args()
    seed = arguments.seed or random.SystemRandom().randrange(1, 1 << 30)
    print("kill9_test: %d rounds, seed %d" % (arguments.rounds, seed), flush=True)
    rng = random.Random(seed)
    # Small memtables: kills fall into flushes and compactions too.
    with Cluster(arguments.nornd, storage="memtable_bytes: 262144 level1_bytes: 1048576 "
                 "table_bytes: 262144") as cluster:
        stop = threading.Event()
        writers = [Writer(i, cluster, rng.random(), stop) for i in range(WRITERS)]
        for writer in writers:
            writer.start()
        try:
            kill_rounds(cluster, arguments.rounds, rng, writers)
            for node in cluster.nodes:  # and all of them at once
                node.kill()
        finally:
            stop.set()
            for writer in writers:
                writer.join(60)
        for writer in writers:
            if writer.failure is not None:
                raise writer.failure
        cluster.start()
        checked = verify(cluster, writers)
        acknowledged = sum(writer.acknowledged for writer in writers)
        expect(acknowledged > 50 * arguments.rounds, "only %d writes were acknowledged", acknowledged)
        print("kill9_test: %d kills, %d writes acknowledged, %d of unknown fate, %d refused, "
              "%d reads checked, %d keys verified at the end: none lost" %
              (arguments.rounds + 3, acknowledged, sum(w.unknown for w in writers),
               sum(w.refused for w in writers), sum(w.reads for w in writers), checked))


if __name__ == "__main__":
    main()
