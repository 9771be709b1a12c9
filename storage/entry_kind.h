// What an entry says of its key: its value, or that it was deleted.
//
// A deletion is an entry of its own, since older values of the key may lie in tables below: it
// hides them until a compaction has seen the last of them go (older_data.h). In blocks and logs
// it takes the place of a value's size, as a number that no value can have; so entries with
// values are encoded as if there were no deletions.

#ifndef NORN_STORAGE_ENTRY_KIND_H_
#define NORN_STORAGE_ENTRY_KIND_H_

#include <cstdint>

namespace norn::storage {

enum class EntryKind : uint8_t { kValue, kDeletion };

// In the place of a value's size. Above every value's (kValueBytesMax), and as a varint no
// longer than it must be.
inline constexpr uint32_t kDeletionSize = (1u << 28) - 1;

}  // namespace norn::storage

#endif  // NORN_STORAGE_ENTRY_KIND_H_
