#include "core/rare_branch.h"

#include "core/check.h"

namespace norn {

const char* RareBranchName(RareBranch branch) {
  static constexpr const char* kNames[] = {
      "late_lease",         "exchange_of_one",  "tree_scan_of_one",  "tombstone_scan_of_one",
      "speculates_at_once", "digest_of_all",    "replica_refuses",   "stand_in_refuses",
      "early_memtable",     "early_compaction", "record_cache_miss", "block_cache_miss",
      "reply_waits",
  };
  static_assert(sizeof(kNames) / sizeof(kNames[0]) == kRareBranchCount);
  const auto index = static_cast<size_t>(branch);
  CORE_CHECK(index < kRareBranchCount);
  return kNames[index];
}

}  // namespace norn
