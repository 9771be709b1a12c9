#!/usr/bin/python3
"""Every rule must flag the bad snippet and leave the good one alone."""

import sys

import tidy

# rule, path, bad, good; a fifth element is the file's own header.
CASES = [
    ("include", "core/a.cc", "#include <thread>", "#include <vector>"),
    ("include", "core/a.cc", "#include <unordered_map>", "#include <map>"),
    ("include", "storage/a.cc", "#include <mutex>", "#include <unordered_map>"),
    ("include", "core/a.cc", "#include <asio.hpp>", '#include "absl/strings/str_cat.h"'),
    ("include", "core/a.cc", '#include "absl/time/clock.h"', '#include "absl/time/time.h"'),
    ("include", "core/a.cc", "#include <unistd.h>", '#include "xxhash.h"'),
    ("include", "core/a.h", '#include "storage/wal.h"', '#include "core/types.h"'),
    ("include", "core/a_test.cc", '#include "sim/sim_disk.h"', "#include <thread>"),
    ("include", "storage/wal.cc", "#include <fcntl.h>", "#include <lz4.h>"),
    ("include", "storage/wal.cc", '#include "net/codec.h"', '#include "core/types.h"'),
    ("include", "storage/posix_file.cc", '#include "sim/sim_disk.h"', "#include <fcntl.h>"),
    ("include", "net/bus.cc", '#include "storage/wal.h"', "#include <asio.hpp>"),
    ("include", "net/bus.cc", '#include "node/config.h"', '#include "core/ports.h"'),
    ("include", "sim/bus.cc", '#include "net/tcp_bus.h"', '#include "net/codec.h"'),
    ("include", "sim/bus.cc", '#include "node/config.h"', '#include "storage/engine.h"'),
    ("include", "node/main.cc", '#include "sim/sim_disk.h"', '#include "net/tcp_bus.h"'),
    ("include", "elsewhere/a.cc", "#include <vector>", None),
    ("include", "tests/a.cc", None, '#include "sim/sim_disk.h"'),
    ("clock", "core/a.cc", "auto t = std::chrono::system_clock::now();", "// system_clock"),
    ("clock", "core/a.cc", "auto t = time(nullptr);", "auto t = deadline_time(0);"),
    ("clock", "sim/a.cc", "absl::Now();", "std::chrono::steady_clock::now();"),
    ("clock", "storage/a.cc", "steady_clock::now();", "now.monotonic_us;"),
    ("clock", "storage/posix_a.cc", None, "steady_clock::now();"),
    ("chance", "core/a.cc", "std::random_device d;", "int random_devices = 1;"),
    ("chance", "core/a_test.cc", "int i = rand();", "int i = operand(1);"),
    ("distribution", "sim/a.cc", "std::uniform_int_distribution<int> d;", "Distribution d;"),
    ("distribution", "sim/a.cc", "std::shuffle(a, b, c);", "Shuffle(a, b, c);"),
    ("thread", "core/a.h", "std::thread t;", 'auto s = "std::thread";'),
    ("thread", "core/a.h", "absl::Mutex mutex;", "int mutexes = 0;"),
    ("unordered", "sim/a.cc", "std::unordered_map<int, int> m;", "std::map<int, int> m;"),
    ("environment", "core/a.cc", 'getenv("X");', 'target.env("X");'),
    ("hash", "core/a.cc", "absl::Hash<int> h;", "H AbslHashValue(H h, const Key& k);"),
    ("hash", "sim/a.cc", "std::hash<int>{}(1);", "XXH3_64bits(p, n);"),
    ("floating-point", "core/a.cc", "double load;", "int doubled; // a double"),
    ("simulated", "core/a.cc", "if (options.simulated) return;", "Simulate(options);"),
    ("simulated", "storage/a.cc", "#ifdef NORN_SIMULATION", "#ifdef NDEBUG"),
    ("pointer-order", "core/a.cc", "std::set<const Peer*> p;", "std::set<PeerId> p; Peer* q;"),
    ("pointer-order", "sim/a.cc", "std::map<Node*, int> p;", "std::map<int, Node*> p;"),
    ("length", "core/a.cc", "\n" * 601, "\n" * 600),
    ("to-do", "README.md", "TODO: write", "To do is to be."),
    ("to-do", "core/a.cc", "// FIXME", "// fixed"),
    ("machine-path", "tools/a.sh", "cd /work/" + "main", "cd net/work/main"),
    ("machine-path", "README.md", "see /root/" + "x", "see https://a.org/root/x"),
]

MAP = "absl::flat_hash_map<Key, std::vector<int>> peers_;"
HASH_CASES = [
    (MAP + "for (const auto& [k, v] : peers_) {}", "std::map<K, V> all; for (auto& x : all) {}"),
    (MAP + "for (auto it = peers_.begin(); it != e; ++it) {}", MAP + "for (int i = 0; i < 3; ++i) {}"),
    (MAP + "for (auto& p : this->peers_) {}", MAP + "for (auto& p : peers_.find(k)->second) {}"),
    (MAP + "for (int i = 0; auto& p : peers_) {}", MAP + "auto it = peers_.find(k);"),
    ("const absl::flat_hash_set<int>& ids() const; for (int i : x.ids()) {}", "for (int i : x.ids()) {}"),
    ("using Ids = absl::flat_hash_set<int>; void F(const Ids& ids) { for (int i : ids) {} }", None),
    (
        MAP + "\n\nfor (auto& p : peers_) {}  // tidy: order-free",
        MAP + "\n\nfor (auto& p : peers_) {}  // tidy: order-free a sum",
    ),
    (None, MAP + "\n// tidy: order-free sorted below\nfor (auto& p : peers_) {}"),
]
CASES += [("hash-order", "core/a.cc", bad, good) for bad, good in HASH_CASES]
CASES += [("hash-order", "sim/a.cc", "for (auto& p : peers_) {}", "for (auto& p : peer) {}", MAP)]


def flagged(rule, path, text, header):
    return any(found[0] == rule for found in tidy.findings(path, text, header))


def main():
    failures = []
    for rule, path, bad, good, *header in CASES:
        header = header[0] if header else ""
        if bad is not None and not flagged(rule, path, bad, header):
            failures.append(f"{rule} misses, in {path}: {bad}")
        if good is not None and flagged(rule, path, good, header):
            failures.append(f"{rule} wrongly flags, in {path}: {good}")
    print("\n".join(failures) if failures else f"{len(CASES)} self-tests pass")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
