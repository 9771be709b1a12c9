#include "sim/claims_matrix.h"

#include <utility>

namespace norn::sim {

namespace {

Promise Judged(Claim claim, std::vector<std::string> planted_bugs) {
  return {claim, ClaimName(claim), ClaimText(claim), std::move(planted_bugs)};
}

Promise Staged(std::string name, std::string text, std::vector<std::string> planted_bugs) {
  return {std::nullopt, std::move(name), std::move(text), std::move(planted_bugs)};
}

std::vector<Promise> Promises() {
  return {
      Judged(Claim::kNothingInvented, {"next-key-answers"}),
      Judged(Claim::kUniqueDots, {"forward-minted-twice", "forwards-soon-forgotten",
                                  "incarnation-shared", "incarnation-without-chance",
                                  "reuse-dot-after-restart", "stand-in-keeps-incarnation"}),
      Judged(Claim::kDurability,
             {"ack-before-sync", "all-replicas-no-siblings", "damage-stays", "drop-smaller-sibling",
              "excised-before-it-is-merged", "forget-table-on-recovery", "full-stand-in-drops-hint",
              "hint-acked-before-sync", "hint-per-owner", "hint-removed-before-ack",
              "hint-removed-though-changed", "late-means-done", "later-tombstone-wins",
              "mended-from-one-peer", "merge-takes-the-newcomer", "old-hint-replaces-new",
              "tombstone-replaces-record"}),
      Judged(Claim::kRefusalsHold, {"timeout-means-not-applied"}),
      Judged(Claim::kDeletesHold,
             {"attests-though-it-keeps-hints", "delete-replaces-nothing",
              "lww-forgets-what-was-read", "lww-trusts-its-clock", "promise-not-confirmed",
              "removal-asks-who-is-there", "removal-without-a-new-epoch", "suspect-keeps-its-data",
              "takes-any-epoch", "takes-any-hint"}),
      Judged(Claim::kConvergence,
             {"hints-forgotten-after-restart", "skip-repair-and-exchange", "tree-child-forgotten"}),
      Judged(Claim::kTrees, {"stale-tree-trusted", "tree-update-forgotten"}),
      Judged(Claim::kExactSiblings, {"all-replicas-no-siblings", "prunes-unasked"}),
      Judged(Claim::kReplacedStaysGone,
             {"expired-hint-dropped", "put-replaces-nothing", "ttl-reveals-old"}),
      Judged(Claim::kWritesFollowReads, {"put-replaces-nothing"}),
      Judged(Claim::kLastWriterWins, {"lww-loses-newer"}),
      Judged(Claim::kExpiry, {"serve-expired"}),
      Judged(Claim::kReadsCoverWrites,
             {"count-duplicate-ack", "digest-taken-on-trust", "stale-preference-list",
              "tombstone-replaces-record", "wiped-replica-answers"}),
      Judged(Claim::kMonotonicReads, {"read-answers-at-r", "read-before-sync"}),
      Judged(Claim::kReadYourWrites,
             {"digest-taken-on-trust", "merge-takes-the-newcomer", "tombstone-replaces-record"}),
      Judged(Claim::kLocalQuorums, {"local-quorum-of-one"}),
      Staged("errors-are-told", "an error never stands for \"not found\"",
             {"read-error-means-absent"}),
      Staged("limits-hold", "waiting, hints, siblings and pruned contexts stay within their limits",
             {"hints-at-once", "prunes-too-late", "siblings-without-bound", "waits-for-the-slow",
              "waits-without-end"}),
  };
}

std::vector<ClaimsRow> Rows() {
  const NeverClaimed one_register{
      "that a key is one register: of two puts, one after the other, "
      "both may be read (linearizability)",
      "successive-puts-both-stay"};
  const NeverClaimed real_time{
      "any order by wall clocks: a put that began after another was "
      "acknowledged may lose to it",
      "later-put-loses"};
  return {
      {"any",
       {"nothing-invented", "unique-dots", "durability", "refusals-hold", "convergence", "trees",
        "errors-are-told", "limits-hold"},
       {{"that anything survives loss beyond the fault budget", "loss-beyond-the-budget"}}},
      {"siblings, contexts not pruned",
       {"exact-siblings", "replaced-stays-gone", "deletes-hold", "writes-follow-reads"},
       {{"a single value", "concurrent-updates"},
        one_register,
        {"causality across keys", "causality-across-keys"}}},
      {"R + W at most N, or sloppy",
       {},
       {{"that clients read their own writes", "stale-read"},
        {"monotonic reads", "reads-go-back"},
        {"that a sloppy read covers what was acknowledged before it, even with R + W above N",
         "sloppy-read-misses-write"}}},
      {"strict, R + W above N",
       {"reads-cover-writes", "monotonic-reads", "read-your-writes"},
       {one_register,
        real_time,
        {"anything of requests whose own R and W do not overlap", "request-below-quorum"}}},
      {"the last writer wins",
       {"last-writer-wins"},
       {{"that no update is lost", "concurrent-updates"}, real_time}},
      {"pruning on",
       {"durability"},
       {{"that what was replaced does not come back as a sibling", "pruned-contexts"}}},
      {"a time to live",
       {"expiry"},
       {{"monotonic reads across an expiry", "expiry-by-two-clocks"}}},
      {"local_quorum and each_quorum, strict",
       {"local-quorums"},
       {{"anything across data centers with local_quorum", "local-quorum-elsewhere"}}},
      {"linearizable bucket (not there yet)", {}, {{"availability in a minority", ""}}},
  };
}

}  // namespace

const Promise* ClaimsMatrix::Find(const std::string& name) const {
  for (const Promise& promise : promises) {
    if (promise.name == name) return &promise;
  }
  return nullptr;
}

const ClaimsMatrix& NornsClaims() {
  static const auto* const kMatrix = new ClaimsMatrix{Promises(), Rows()};
  return *kMatrix;
}

}  // namespace norn::sim
