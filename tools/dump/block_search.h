// Finds the data blocks of a table whose index is lost: a block ends where the checksum of
// what came so far is what the next four bytes say.

#ifndef NORN_TOOLS_DUMP_BLOCK_SEARCH_H_
#define NORN_TOOLS_DUMP_BLOCK_SEARCH_H_

#include <cstdint>
#include <optional>

#include "storage/table_format.h"
#include "tools/dump/table_tail.h"

namespace norn::dump {

// The good block that starts at `offset` and ends at or before `limit`; nothing if there is
// none. Linear in the block's size, or in what is left up to `limit` if there is none.
std::optional<storage::BlockHandle> FindBlock(const TableFile& table, uint64_t file_id,
                                              uint64_t offset, uint64_t limit);

}  // namespace norn::dump

#endif  // NORN_TOOLS_DUMP_BLOCK_SEARCH_H_
