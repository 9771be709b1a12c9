// Branches that are hardly ever taken, and that the simulator forces in some of its runs.
//
// A lease that runs out before the next one is there, a page that ends after one record, a
// memtable that is retired while it is small: code that only runs when several things coincide is
// where bugs outlive every test. Each place asks Forced(), and takes the branch if told so, as it
// would by itself some day. What is forced must always be allowed: it may cost time, or end in an
// answer that callers have to expect, and never breaks a promise. (FoundationDB's BUGGIFY: J. Zhou
// et al., FoundationDB: A Distributed Unbundled Transactional Key Value Store, 2021, section 4.)
//
// In production nobody forces anything: the pointer is null, and costs a test. Tests stage single
// branches with an implementation of their own. Not thread-safe: whoever sets one runs the node and
// the engine's calls (not its jobs) on one thread.

#ifndef NORN_CORE_RARE_BRANCH_H_
#define NORN_CORE_RARE_BRANCH_H_

#include <cstddef>
#include <cstdint>

namespace norn {

enum class RareBranch : uint8_t {
  kLateLease,           // the next lease of counters is asked for when this one is used up
  kExchangeOfOne,       // a page of keys that an exchange compares has one
  kTreeScanOfOne,       // ... that a tree is built of, or checked by
  kTombstoneScanOfOne,  // ... that is looked through for tombstones
  kSpeculatesAtOnce,    // a read asks its spare replicas without waiting
  kDigestOfAll,         // a read asks for digests, however small the record is
  kReplicaRefuses,      // a replica refuses a read or a write, as if it had too much to do
  kStandInRefuses,      // so does a stand-in
  kEarlyMemtable,       // a memtable is retired though it has room
  kEarlyCompaction,     // level 0 is merged though it has few tables
  kRecordCacheMiss,     // a record that is in the cache is asked of the engine
  kBlockCacheMiss,      // a block that is in the cache is read
  kReplyWaits,          // what the store has to say waits for the node's next turn
};
inline constexpr size_t kRareBranchCount = 13;

// "late_lease": part of the simulator's settings, so it stays.
const char* RareBranchName(RareBranch branch);

class RareBranches {
 public:
  virtual ~RareBranches() = default;
  // Whether the branch is taken, this once. Asked only where it would not be taken anyway.
  virtual bool Take(RareBranch branch) = 0;
};

inline bool Forced(RareBranches* rare, RareBranch branch) {
  return rare != nullptr && rare->Take(branch);
}

}  // namespace norn

#endif  // NORN_CORE_RARE_BRANCH_H_
