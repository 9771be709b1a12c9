// The command line of norn-dump.

#ifndef NORN_TOOLS_DUMP_OPTIONS_H_
#define NORN_TOOLS_DUMP_OPTIONS_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace norn::dump {

// A bound of --from or --to.
struct KeyBound {
  std::string bytes;
  bool is_engine_key = false;  // given as 0x...: the engine's key, not a client's
};

struct Options {
  enum class Command { kHelp, kWal, kTable, kManifest, kVerify };

  Command command = Command::kHelp;
  std::string path;
  bool json = false;
  bool values = false;
  bool keys_hex = false;
  uint64_t limit = std::numeric_limits<uint64_t>::max();  // entries, groups or edits to print
  std::optional<KeyBound> from;                           // inclusive
  std::optional<KeyBound> to;                             // exclusive
};

extern const char kUsage[];

// kInvalidArgument: what is wrong with it.
absl::StatusOr<Options> ParseArguments(const std::vector<std::string>& arguments);

}  // namespace norn::dump

#endif  // NORN_TOOLS_DUMP_OPTIONS_H_
