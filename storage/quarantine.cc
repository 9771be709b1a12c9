#include "storage/quarantine.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/check.h"

namespace norn::storage {
namespace {

std::string Quoted(absl::string_view key) {
  constexpr size_t kShownBytesMax = 64;
  const bool cut = key.size() > kShownBytesMax;
  return absl::StrCat("\"", absl::CHexEscape(key.substr(0, kShownBytesMax)), cut ? "\"..." : "\"");
}

}  // namespace

void QuarantineSet::Append(const Quarantine& whole, absl::string_view from,
                           absl::string_view until) {
  if (from >= until) return;
  // Neighbouring blocks of a table make one range.
  if (!all_.empty() && absl::string_view(all_.back().until) == from &&
      all_.back().table == whole.table && all_.back().sequence == whole.sequence) {
    all_.back().until.assign(until.data(), until.size());
    return;
  }
  all_.push_back({.from = std::string(from),
                  .until = std::string(until),
                  .sequence = whole.sequence,
                  .table = whole.table,
                  .reason = whole.reason});
}

void QuarantineSet::Add(const Quarantine& added) {
  CORE_CHECK(added.from < added.until);
  const std::vector<Quarantine> before = std::exchange(all_, {});
  std::string rest = added.from;  // where `added` goes on that is not appended yet
  for (const Quarantine& old : before) {
    if (old.until <= added.from) {
      Append(old, old.from, old.until);
      continue;
    }
    Append(added, rest, std::min(old.from, added.until));
    if (old.from >= added.until) {
      Append(old, old.from, old.until);
    } else {
      const std::string from = std::max(old.from, added.from);
      const std::string until = std::min(old.until, added.until);
      Append(old, old.from, from);
      Append(old.sequence >= added.sequence ? old : added, from, until);
      Append(old, until, old.until);
    }
    rest = std::max(rest, std::min(old.until, added.until));
  }
  Append(added, rest, added.until);
}

void QuarantineSet::Lift(absl::string_view from, absl::string_view until, uint64_t sequence) {
  const std::vector<Quarantine> before = std::exchange(all_, {});
  for (const Quarantine& old : before) {
    const absl::string_view old_from = old.from;
    const absl::string_view old_until = old.until;
    const bool meant =
        old.sequence <= sequence && old_until > from && (until.empty() || old_from < until);
    if (!meant) {
      Append(old, old_from, old_until);
      continue;
    }
    Append(old, old_from, std::min(from, old_until));
    if (!until.empty()) Append(old, std::max(until, old_from), old_until);
  }
}

const Quarantine* QuarantineSet::FirstBehind(absl::string_view key) const {
  const auto first = std::upper_bound(all_.begin(), all_.end(), key,
                                      [](absl::string_view k, const Quarantine& quarantine) {
                                        return k < absl::string_view(quarantine.until);
                                      });
  return first == all_.end() ? nullptr : &*first;
}

const Quarantine* QuarantineSet::Find(absl::string_view key) const {
  const Quarantine* const first = FirstBehind(key);
  return first != nullptr && absl::string_view(first->from) <= key ? first : nullptr;
}

absl::Status QuarantineError(const Quarantine& quarantine) {
  return absl::DataLossError(absl::StrCat("keys ", KeyRangeText(quarantine.from, quarantine.until),
                                          " are in quarantine: ", quarantine.reason));
}

std::string KeyRangeText(absl::string_view from, absl::string_view until) {
  return absl::StrCat("from ", Quoted(from), " to below ", Quoted(until));
}

}  // namespace norn::storage
