// The part of verify that finds out what the directory says it consists of: CURRENT and the
// manifest that it names.

#ifndef NORN_TOOLS_DUMP_VERIFY_VERSION_H_
#define NORN_TOOLS_DUMP_VERIFY_VERSION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "storage/file_system.h"
#include "storage/manifest.h"
#include "tools/dump/console.h"

namespace norn::dump {

struct DirectoryVersion {
  enum class State {
    kKnown,
    kEmpty,    // nothing was ever stored here
    kUnknown,  // CURRENT or the manifest is missing, damaged or of a later release
  };

  State state = State::kUnknown;
  std::string owner;
  uint64_t manifest = 0;
  uint64_t edits = 0;
  storage::VersionState version;  // kKnown
};

// `names` are the files in `dir`. Reports what is wrong, with the files and with the version
// in itself: the order of tables on a level, and what they say about their writes.
DirectoryVersion ReadVersion(storage::FileSystem* file_system, const std::string& dir,
                             const std::vector<std::string>& names, bool in_use,
                             const FindingSink& report);

// What the directory says of itself now, without a word about damage.
DirectoryVersion ReadVersionAgain(storage::FileSystem* file_system, const std::string& dir);

}  // namespace norn::dump

#endif  // NORN_TOOLS_DUMP_VERIFY_VERSION_H_
