// The levels of core/client.h as files name them.

#ifndef NORN_SIM_LEVELS_H_
#define NORN_SIM_LEVELS_H_

#include <optional>

#include "absl/strings/string_view.h"
#include "core/client.h"

namespace norn::sim {

inline constexpr char kLevelNames[] = "one, quorum, all, local_quorum or each_quorum";

inline std::optional<Level> LevelOfName(absl::string_view name) {
  for (const Level level :
       {Level::kOne, Level::kQuorum, Level::kAll, Level::kLocalQuorum, Level::kEachQuorum}) {
    if (name == LevelName(level)) return level;
  }
  return std::nullopt;
}

}  // namespace norn::sim

#endif  // NORN_SIM_LEVELS_H_
