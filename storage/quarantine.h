// Key ranges of which some writes cannot be read any more.
//
// A quarantine says: of the keys in [from, until) writes up to `sequence` may be there that
// nobody can read. So what is found of such a key counts only if it is newer than that; anything
// else, "not found" included, is an error. It speaks of keys and sequences, not of files: the
// table that held the bad block can be compacted, moved and removed meanwhile, and what is older
// stays hidden all the same. The manifest remembers it until the owner lifts it, having merged
// what its replicas have over the range (Engine::ExciseDamage).
//
// Invariant: ranges are disjoint and ascending. Where two overlap, the higher sequence counts.
// Pure; every operation is linear in the number of ranges, but Find and FirstBehind (log n).

#ifndef NORN_STORAGE_QUARANTINE_H_
#define NORN_STORAGE_QUARANTINE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace norn::storage {

struct Quarantine {
  std::string from;       // the first key
  std::string until;      // behind the last key; above `from`
  uint64_t sequence = 0;  // writes up to this one may be unreadable
  uint64_t table = 0;     // number of the file that was damaged
  std::string reason;     // names the file, and says what is wrong

  bool operator==(const Quarantine&) const = default;
};

class QuarantineSet {
 public:
  void Add(const Quarantine& added);
  // Forgets what concerns the keys in [from, until) ("" as `until`: no bound) and writes up to
  // `sequence`: what was found later is not meant.
  void Lift(absl::string_view from, absl::string_view until, uint64_t sequence);

  // The one that covers `key`, or null.
  const Quarantine* Find(absl::string_view key) const;
  // The first one that ends behind `key`, or null.
  const Quarantine* FirstBehind(absl::string_view key) const;

  const std::vector<Quarantine>& all() const { return all_; }
  bool empty() const { return all_.empty(); }

  bool operator==(const QuarantineSet&) const = default;

 private:
  // Appends the part [from, until) of `whole`.
  void Append(const Quarantine& whole, absl::string_view from, absl::string_view until);

  std::vector<Quarantine> all_;
};

// What a reader of one of its keys is told: kDataLoss, with the file and the keys.
absl::Status QuarantineError(const Quarantine& quarantine);

// For messages: `from "a" to "b\x00"`, long keys cut short.
std::string KeyRangeText(absl::string_view from, absl::string_view until);

}  // namespace norn::storage

#endif  // NORN_STORAGE_QUARANTINE_H_
