// Whether a node is running on a directory, found out without getting in its way.

#ifndef NORN_TOOLS_DUMP_DIRECTORY_USE_H_
#define NORN_TOOLS_DUMP_DIRECTORY_USE_H_

#include <optional>
#include <string>

namespace norn::dump {

// The name of the file that a running node holds a lock on (storage/posix_file_system.h).
inline constexpr char kLockFileName[] = "LOCK";

struct DirectoryUse {
  // Nothing: it cannot be told on this system.
  std::optional<bool> in_use;
  std::string holder;  // "process 123", if it is in use and the holder is known
};

// Takes no lock, not even for a moment: a node that starts at that moment would be refused.
// Looks the lock up in /proc/locks, which shows locks of this machine, and of this
// container, only.
DirectoryUse FindUse(const std::string& dir);

}  // namespace norn::dump

#endif  // NORN_TOOLS_DUMP_DIRECTORY_USE_H_
