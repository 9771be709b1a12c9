// Reads whole files, and says why not.

#ifndef NORN_TOOLS_DUMP_READ_FILE_H_
#define NORN_TOOLS_DUMP_READ_FILE_H_

#include <optional>
#include <string>

#include "storage/file_system.h"
#include "tools/dump/console.h"

namespace norn::dump {

// Nothing, and a finding, if it cannot be read.
std::optional<std::string> ReadWhole(storage::FileSystem* file_system, const std::string& path,
                                     const FindingSink& report);

// The same for a log, which a node may be appending to. One reading of such a file can mix
// old and new: zeros where an append had not arrived yet, and behind them a later one that
// had. What the first of two readings saw any byte behind is whole in the second. `*grew`,
// unless null: the two differed.
std::optional<std::string> ReadLogFile(storage::FileSystem* file_system, const std::string& path,
                                       const FindingSink& report, bool* grew = nullptr);

}  // namespace norn::dump

#endif  // NORN_TOOLS_DUMP_READ_FILE_H_
