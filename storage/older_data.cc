#include "storage/older_data.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace norn::storage {

OlderData::OlderData(const std::array<Level, kLevels>& levels,
                     std::shared_ptr<const QuarantineSet> quarantine,
                     const CompactionChoice& choice)
    : quarantine_(std::move(quarantine)) {
  const auto is_input = [&choice](const LiveTable& table) {
    return std::any_of(choice.lower.begin(), choice.lower.end(),
                       [&table](const std::shared_ptr<LiveTable>& input) {
                         return input->meta.number == table.meta.number;
                       });
  };
  const auto output = static_cast<size_t>(choice.level) + 1;
  for (size_t level = output; level < levels.size(); ++level) {
    Tables tables;
    for (const std::shared_ptr<LiveTable>& table : levels[level]) {
      if (level == output && is_input(*table)) continue;
      tables.ranges.push_back({table->meta.smallest, table->meta.largest});
    }
    if (level > output) deeper_tables_ += tables.ranges.size();
    if (!tables.ranges.empty()) levels_.push_back(std::move(tables));
  }
}

bool OlderData::MayHold(absl::string_view key) {
  for (Tables& tables : levels_) {
    size_t& at = tables.at;
    while (at < tables.ranges.size() && absl::string_view(tables.ranges[at].largest) < key) ++at;
    if (at < tables.ranges.size() && absl::string_view(tables.ranges[at].smallest) <= key) {
      return true;
    }
  }
  return quarantine_->Find(key) != nullptr;
}

}  // namespace norn::storage
