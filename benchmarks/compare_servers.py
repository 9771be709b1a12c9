"""Norn beside Redis on this machine: redis-benchmark against each, in turns.

usage: bazel run --config=release //benchmarks:compare_servers -- [--quick] [--json FILE]

Values of 100 bytes, 50 connections, random keys. A row is a command (SET, GET), a pipeline depth
(P) and what is measured; the servers of a row run one after the other, several rounds, and the
median counts. What they promise when they answer a SET differs:

  norn-1           one node, n=1: on this disk, synced
  norn-3           three nodes, n=3, r=w=2: on two disks, synced; a GET asks two nodes
  redis-everysec   in memory; on the disk within a second or two (appendfsync everysec)
  redis-always     on this disk, synced (appendfsync always)

All nodes share this machine's cores with the load generator, so three nodes are slower here than
on three machines.
"""

import argparse
import csv
import io
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

CONNECTIONS = 50
VALUE_BYTES = 100
SERVERS = ("norn-1", "norn-3", "redis-everysec", "redis-always")
PIPELINES = (1, 16)


class LocalCluster:
    def __init__(self, tools, nodes, home):
        self.script, self.home = tools["local-cluster"], home
        out = subprocess.run([self.script, "start", str(nodes), home, "--binary", tools["nornd"]],
                             check=True, stdout=subprocess.PIPE).stdout.decode()
        self.port = int(re.search(r"client 127\.0\.0\.1:(\d+)", out).group(1))

    def stop(self):
        subprocess.run([self.script, "stop", self.home], check=True, stdout=subprocess.DEVNULL)


class RedisServer:
    def __init__(self, fsync, home):
        os.makedirs(home)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
             "--appendonly", "yes", "--appendfsync", fsync, "--dir", home],
            stdout=subprocess.DEVNULL)
        for _ in range(1000):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                time.sleep(0.01)
        raise SystemExit("redis-server did not start")

    def stop(self):
        self.process.terminate()
        self.process.wait()


def start(server, tools, scratch):
    home = os.path.join(scratch, server)
    kind, variant = server.split("-")
    if kind == "norn":
        return LocalCluster(tools, int(variant), home)
    return RedisServer(variant, home)


def measure(port, pipeline, requests, keys):
    """{command: (requests a second, p50 ms, p99 ms)}"""
    out = subprocess.run(
        ["redis-benchmark", "-p", str(port), "-t", "set,get", "-c", str(CONNECTIONS),
         "-P", str(pipeline), "-d", str(VALUE_BYTES), "-n", str(requests), "-r", str(keys), "--csv"],
        check=True, stdout=subprocess.PIPE).stdout.decode()
    rows = csv.DictReader(io.StringIO(out[out.index('"test"'):]))
    return {row["test"]: (float(row["rps"]), float(row["p50_latency_ms"]),
                          float(row["p99_latency_ms"])) for row in rows}


def run(tools, quick, scratch):
    """{(server, command, pipeline): [measurements]}"""
    requests = {1: 40_000 if quick else 150_000, 16: 150_000 if quick else 1_000_000}
    rounds = 1 if quick else 3
    keys = 100_000
    results = {}
    for server in SERVERS:
        running = start(server, tools, scratch)
        try:
            measure(running.port, 16, requests[16] // 2, keys)  # warms up; GET finds keys
        finally:
            running.stop()
    for number in range(rounds):
        for server in SERVERS:
            running = start(server, tools, os.path.join(scratch, str(number)))
            try:
                measure(running.port, 16, keys, keys)
                for pipeline in PIPELINES:
                    got = measure(running.port, pipeline, requests[pipeline], keys)
                    for command, figures in got.items():
                        results.setdefault((server, command, pipeline), []).append(figures)
                    print("  round %d of %d  %-15s P=%-2d  SET %7.0f/s  GET %7.0f/s" % (
                        number + 1, rounds, server, pipeline, got["SET"][0], got["GET"][0]),
                        file=sys.stderr, flush=True)
            finally:
                running.stop()
    return results


def rows_of(results):
    """As DESIGN.md, section 8: one row per measured thing. `norn` is the single node, the like of
    a single Redis; the cluster of three is a column of its own."""
    rows = []
    for index, name, unit, better in ((0, "requests", "1/s", "higher"), (1, "p50", "ms", "lower"),
                                      (2, "p99", "ms", "lower")):
        for pipeline in PIPELINES:
            for command in ("SET", "GET"):
                row = {"name": "%s P=%d %s" % (command, pipeline, name), "unit": unit,
                       "better": better}
                for server in SERVERS:
                    values = [figures[index] for figures in results[(server, command, pipeline)]]
                    row["norn" if server == "norn-1" else server] = round(
                        statistics.median(values), 3)
                rows.append(row)
    return rows


def plot(rows):
    """Bars as wide as the terminal bears, one group per row."""
    columns = [key for key in rows[0] if key not in ("name", "unit", "better")]
    width = max(20, min(shutil.get_terminal_size((100, 24)).columns, 120) - 36)
    for row in rows:
        print("\n%s (%s, %s is better)" % (row["name"], row["unit"], row["better"]))
        greatest = max(row[column] for column in columns) or 1
        for column in columns:
            bar = "#" * max(1, round(width * row[column] / greatest))
            print("  %-15s %10s  %s" % (column, "%.3f" % row[column] if row["unit"] == "ms" else
                                        "%.0f" % row[column], bar))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="under a minute, one round")
    parser.add_argument("--json", metavar="FILE", help="write the rows there")
    parser.add_argument("--nornd", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--local-cluster", required=True, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    for program in ("redis-server", "redis-benchmark"):
        if shutil.which(program) is None:
            raise SystemExit("%s is missing: tools/install-deps test" % program)
    tools = {"nornd": arguments.nornd, "local-cluster": arguments.local_cluster}
    scratch = tempfile.mkdtemp(prefix="norn-compare-")
    try:
        for number in range(3):
            os.makedirs(os.path.join(scratch, str(number)))
        rows = rows_of(run(tools, arguments.quick, scratch))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    plot(rows)
    if arguments.json:
        directory = os.environ.get("BUILD_WORKING_DIRECTORY", ".")
        with open(os.path.join(directory, arguments.json), "w") as file:
            json.dump({"rows": rows}, file, indent=1)


if __name__ == "__main__":
    main()
