#include "core/ring/position.h"

#include "core/check.h"
#include "core/ring/layout.h"

namespace norn {

namespace {

constexpr int kPartitionBitsMax = 14;  // of 16,384 partitions, the most there may be

void AppendPosition(std::string* out, uint32_t position) {
  out->push_back(static_cast<char>(position >> 8));
  out->push_back(static_cast<char>(position & 0xff));
}

}  // namespace

Position PositionOf(absl::string_view record_key) {
  return static_cast<Position>(RingHash(record_key) >> (64 - kPartitionBitsMax - kPositionBits));
}

bool ComesBefore(absl::string_view a, absl::string_view b) {
  const Position at_a = PositionOf(a);
  const Position at_b = PositionOf(b);
  return at_a != at_b ? at_a < at_b : a < b;
}

std::string CursorOf(absl::string_view record_key) {
  std::string cursor;
  cursor.reserve(kPositionBytes + record_key.size());
  AppendPosition(&cursor, PositionOf(record_key));
  cursor.append(record_key.data(), record_key.size());
  return cursor;
}

std::string CursorAt(uint32_t position) {
  CORE_CHECK(position <= kPositions);
  std::string cursor;
  if (position < kPositions) AppendPosition(&cursor, position);
  return cursor;
}

}  // namespace norn
