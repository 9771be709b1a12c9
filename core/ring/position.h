// Where a record key lies within its partition, and the order in which a partition is
// scanned: by position, then by key.
//
// A position is 16 bits of the key's place on the ring (RingHash), those below the 14 that
// may number its partition: uniform within every partition, and the same whatever the number
// of partitions is, so that the store can tell it from the key alone. Buckets of a Merkle
// tree are ranges of positions (antientropy/merkle_tree.h); since stores keep a partition in
// this order, a bucket is one contiguous range of the store, and reading it is one short
// sequential scan.
//
// (With 16,384 partitions the position is the next 16 bits of the token, and a range of
// positions is a range of tokens. With fewer, the bits between are left out of the order: a
// range of positions is then 16384/Q token ranges, the same ones in every partition.)
//
//   cursor := position (2 bytes, big-endian) record-key
//
// Cursors compare as bytes. A cursor without a key lies before all keys of its position.
// As the end of a range the empty cursor is the end of the partition.

#ifndef NORN_CORE_RING_POSITION_H_
#define NORN_CORE_RING_POSITION_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace norn {

using Position = uint16_t;
inline constexpr int kPositionBits = 16;
inline constexpr uint32_t kPositions = 1u << kPositionBits;
inline constexpr size_t kPositionBytes = 2;

Position PositionOf(absl::string_view record_key);

// Whether `a` comes before `b` in a scan of their partition.
bool ComesBefore(absl::string_view a, absl::string_view b);

// The place of `record_key` in its partition.
std::string CursorOf(absl::string_view record_key);
// Before all keys at `position` or beyond; kPositions: the end, which is "".
std::string CursorAt(uint32_t position);

}  // namespace norn

#endif  // NORN_CORE_RING_POSITION_H_
