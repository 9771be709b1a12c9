// What is known to be wrong with a table, and has not been settled yet.
//
// Life of a flaw: a reader, a compaction or a scrub meets it and notes it. A job reads the place
// again: if that goes well it is forgiven (a device that could not, and now can; a bit that
// flipped in memory). Bytes that were bad twice are settled: the engine makes the range a
// quarantine (quarantine.h) by an edit of the manifest, and the block counts as absent from then
// on. A device that cannot read is asked again and again, with pauses; it is settled only when
// level 0 is full because the table cannot be compacted.
//
// While a table has flaws no compaction takes it; what of it can be read is served.

#ifndef NORN_STORAGE_TABLE_DAMAGE_H_
#define NORN_STORAGE_TABLE_DAMAGE_H_

#include <cstdint>
#include <map>
#include <optional>

#include "absl/status/status.h"
#include "storage/read_error.h"
#include "storage/table.h"

namespace norn::storage {

struct Flaw {
  absl::Status status;    // the last one: names the file and the place
  int bad_reads = 0;      // times that the bytes were bad
  int failed_reads = 0;   // times that the device could not read
  TablePlace place = {};  // of a block

  static constexpr int kBadReadsToSettle = 2;
  static constexpr int kFailedReadsToSettle = 16;  // and level 0 is full

  static Flaw Of(const absl::Status& status) {
    Flaw flaw{.status = status};
    (IsReadError(status) ? flaw.failed_reads : flaw.bad_reads) = 1;
    return flaw;
  }
  static Flaw Of(const absl::Status& status, const TablePlace& place) {
    Flaw flaw = Of(status);
    flaw.place = place;
    return flaw;
  }
  bool certain() const { return bad_reads >= kBadReadsToSettle; }
  bool SettlesUnderPressure() const { return certain() || failed_reads >= kFailedReadsToSettle; }
};

struct TableDamage {
  // Filter, footer, or what of the index is pinned: nothing can be looked up.
  std::optional<Flaw> whole;
  std::map<uint64_t, Flaw> blocks;  // of data, and partitions of the index; by offset

  bool ok() const { return !whole.has_value() && blocks.empty(); }
  // Of the first flaw; not if ok().
  const absl::Status& status() const {
    return whole.has_value() ? whole->status : blocks.begin()->second.status;
  }
};

}  // namespace norn::storage

#endif  // NORN_STORAGE_TABLE_DAMAGE_H_
