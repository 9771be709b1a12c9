// What was removed for good: tombstones and expired values, with all that they had covered.
//
// Whoever reads after a removal has seen less, by its context, than who read before, and rightly
// so. The checkers know of every removal, so they add to each later read, and to the final state,
// what the removed records had seen. A value that comes back is then alive although seen as
// replaced, and one that was removed while it was alive is missing without a successor.

#ifndef NORN_SIM_BURIALS_H_
#define NORN_SIM_BURIALS_H_

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "core/store.h"
#include "sim/checkers/checkers.h"
#include "sim/history.h"

namespace norn::sim {

class Burials {
 public:
  // A node that looks for tombstones found this record.
  void Found(absl::string_view record_key, absl::string_view record);
  // A node has its store remove what it found, at this time. What it returns is wrong with that.
  std::optional<Violation> Removed(History* history, absl::string_view record_key,
                                   const RecordHash& hash, int64_t now_us);
  // Different records that were removed.
  size_t count() const { return removed_.size(); }

 private:
  // By record key and hash.
  using Name = std::pair<std::string, std::pair<uint64_t, uint64_t>>;
  std::map<Name, std::string> found_;
  std::set<Name> removed_;
};

// Without the copies that may be removed at any time: of records in which all is dead, or will be.
FinalState WithoutDead(const FinalState& state);

// Adds to the reads of `history` what had been removed before they ended.
void AddBurials(History* history);

}  // namespace norn::sim

#endif  // NORN_SIM_BURIALS_H_
