// What norn-sim says of itself.

#ifndef NORN_SIM_NORN_SIM_USAGE_H_
#define NORN_SIM_NORN_SIM_USAGE_H_

namespace norn::sim {

inline constexpr char kUsage[] = R"(norn-sim: a whole cluster in virtual time, from one seed

  norn-sim run --seeds A..B [--nodes N] [--jobs J] [--twice] [--json]
      runs a campaign: real nodes on simulated disks and a simulated network, with
      partitions, loss, delays, resets, crashes at any file operation, power cuts, outages
      of a zone, disks that are slow, full or fail to read, write or sync; checks every run.
      --twice runs every seed twice and compares the trace hashes.
  norn-sim run --seed S --trace
      runs one seed and prints what happens, line by line: messages, what clients ask and
      are told, faults
  norn-sim run --seed S --case FILE
      runs one seed and writes it down with every choice, as a case that can be replayed
  norn-sim run --seeds A..B --report DIR
      writes down each run that is not valid: DIR/seed-S.textproto
  norn-sim replay FILE [--trace]
      performs a case again, without drawing anything, and compares the trace hashes
  norn-sim shrink FILE -o MIN [--budget 60s] [--limit 60s]
      cuts a failing case down, as long as it fails in the same way, for at most the budget
      (default: to the end); a run that takes longer than the limit does not count
  norn-sim explain FILE [--html PAGE] [--shiviz LOG] [--json] [--budget 60s] [--limit 60s]
      says what went wrong in a case: the operations that show it, what each replica held
      then, and, by repeating it without each fault, which faults it needs (for at most the
      budget). --html writes one self-contained page: lanes, messages, faults, operations
      and replicas over time; PAGE#self-check in a browser tells whether it works there.
      --shiviz writes a log with vector clocks for ShiViz, and prints the expression that
      parses it. From a failing seed to the page:
        norn-sim run --seed S --case FILE; norn-sim explain FILE --html PAGE
  norn-sim bisect --seed S --with PROGRAM | CASE OTHER_CASE
      finds the first event at which two runs part: of two norn-sims, two cases, or, with
      --other-seed T, two seeds; exit code 1 if they do, 0 if they are equal
  norn-sim ci --report DIR [--budget 10m] [--shard I/N] [--junit FILE] [--revision TEXT]
              [--corpus DIR]... [--limit 60s] [--jobs J] [--dry-run]
      runs, until the budget is spent: first the corpus (every case and scenario in these
      folders; default: tests/scenarios, if it is there), then seeds that follow from the
      revision and the shard, an eighth of them with each combination of --random-config,
      --wipes and --sloppy. --revision: by default what NORN_REVISION, GITHUB_SHA,
      CI_COMMIT_SHA or another such variable says. A run that takes longer than the limit
      (default: a quarter of the budget, but 10s to 60s) is killed, which is a failure.
      Failures of the same kind count as one: DIR/index.html tells, for each, the command
      that shows it again, and holds its case, the case cut down, and why it fails;
      DIR/report.json is for programs, --junit for CI systems. At the first failure a quarter
      of the budget is set aside for that. SIGINT and SIGTERM end it early, with its report;
      exit code 4 then, unless something failed.
      --dry-run prints what would be run
  norn-sim merge DIR... -o NEW_DIR [--junit FILE]
      puts the reports of the shards of one campaign together: sums, and the smallest case of
      each failure. If shards are missing it says which: exit code 4, unless something failed
  norn-sim check HISTORY --model register|cas-register|sessions [--json]
      checks a history from anywhere: lines of JSON, or Jepsen's EDN (FILE.edn; else --format);
      sim/consistency/read_history.h documents both. register and cas-register: linearizability;
      sessions: read your writes, monotonic reads and writes, writes follow reads, per key.
      --limit N gives a search up after N configurations of a key (default 5000000);
      --initial VALUE is what registers hold before any write, as JSON (default null)
  norn-sim run --scenario NAME|FILE [--seeds A..B] [--jobs J] [--json] [--trace]
      runs a scenario of the library, or of a file: one that is scripted step by step
      (tests/scenarios/; the seed, 1 by default, decides delays), or one that describes
      data centers, links, clients, faults and phases and leaves the rest to the seed. Of
      these it prints how clients fared before, during and after the faults, with --json
      also second by second; --case and --report write their runs down like any other
  norn-sim scenarios [NAME|DIR]
      lists the library, and those of a folder (tests/scenarios, if it is there); with a
      NAME prints that file, to begin one of your own with (sim/scenario.proto and
      sim/environment.proto say what can be written)
  norn-sim claims [--json]
      prints what is checked under which configuration, which planted bugs prove that a check
      works, and what is never claimed.
  norn-sim claims --prove [--seeds N] [--jobs J] [--json]
      performs, for everything that is never claimed, the scenario that shows it (under N
      seeds, default 1): exit code 1 if one does not. tools/mutants hunts the planted bugs
  norn-sim faults
      lists the kinds of faults: name, class, what happens, what counts as an effect
  norn-sim hash --seed S
      prints the 128-bit hash of every event of the run
  norn-sim hash --seeds A..B
      prints a line "seed hash" for each
  norn-sim help
      Protocols of your own have programs of their own: sim/examples/TUTORIAL.md

Options of run and hash:
  --nodes N            servers (default 5)
  --n N --r R --w W    replicas of a key, and quorums (default 3, 2, 2)
  --random-config      instead of these: 3 to 9 nodes, N 1 to 5, any R and W, and the least of
                       both that requests may ask for, drawn from each seed
  --sloppy             stand-ins count, as in sloppy buckets; claims that need R + W > N are off
  --wipes              disks may be lost and come back empty or as they were earlier, and what they
                       hold may rot, as far as the fault budget allows; without it they are not
  --faults LIST        only these kinds of faults, or classes of them (norn-sim faults names both);
                       a run is drawn anew until it has some, if its configuration allows any
  --no-faults LIST     none of these; the others stay as they are. Without either, half of the runs
                       leave out some classes at random
  --rare-branches none|some|all
                       branches of the code that are hardly ever taken, and are forced in some runs
                       (default: some of them in half of the runs; core/rare_branch.h lists them)
  --jobs J             runs at once (default: the number of processors)

Options of run --seed and of replay, to see where runs part:
  --trace --events A..B  shows only these events, each with its number and the hash so far
  --checkpoints K      prints, instead, a line "EVENTS HASH" every K events

Exit codes: 0 valid, 1 a property was violated, 2 wrong usage, 3 no progress after
healing, 4 inconclusive (a planned fault had no effect, a
check came to its limit, a campaign was not completed), 5 a run crashed, failed an
assertion, came to its limit of time or was not deterministic. Of several the worst:
1, then 5, 3, 4.
)";

}  // namespace norn::sim

#endif  // NORN_SIM_NORN_SIM_USAGE_H_
