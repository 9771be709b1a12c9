// Lets the owner of an engine drop or replace entries that compactions come by: data that has
// expired, tombstones that every replica is proven to hold.
//
// Decide() is asked about the newest entry of a key among those that a compaction merges, and
// only if no older one can lie below (older_data.h): so an entry that is dropped uncovers nothing.
// Deletions are not shown, they go by themselves. An entry may be asked about again and again, or
// never: a table that is not merged any more is not looked at.
//
// What readers see. A decision changes an answer once: until the compaction's tables are in a
// durable manifest every reader gets the entry as it was, and from then on as it was decided,
// also after a crash; iterators stay with what they began with. A newer write of the key hides
// both. The record cache above the engine is told which keys changed (Engine::TakeFiltered)
// before anything can be read through it again; so nobody sees the old entry behind the new one.
// But between two reads the answer changes without a write, and so without a sequence to wait
// for. The owner must therefore decide nothing that a reader could tell from what was there: an
// expired value reads as absent before it goes, and a record that holds nothing but provably
// superfluous tombstones is absent to every reader, every merge and every hash.
//
// Pure and deterministic: no clock, no I/O; what a decision depends on (a horizon, an epoch) is
// part of the filter, which never changes. Whoever knows more makes a new one
// (Engine::SetCompactionFilter). Threads: called off the engine's thread, by one compaction at a
// time; lives as long as that.

#ifndef NORN_STORAGE_COMPACTION_FILTER_H_
#define NORN_STORAGE_COMPACTION_FILTER_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace norn::storage {

class CompactionFilter {
 public:
  enum class Decision { kKeep, kDrop, kReplace };

  virtual ~CompactionFilter() = default;

  // kReplace: the entry's value becomes `*replacement` (empty before the call; at most
  // kValueBytesMax bytes), under the same sequence.
  virtual Decision Decide(absl::string_view key, absl::string_view value,
                          std::string* replacement) const = 0;
};

// Keys whose entries a filter has dropped or replaced, and readers get as it decided: or all keys,
// when there were too many to list.
struct FilteredKeys {
  std::vector<std::string> keys;
  bool all = false;
};

}  // namespace norn::storage

#endif  // NORN_STORAGE_COMPACTION_FILTER_H_
