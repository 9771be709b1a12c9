#include "tools/dump/wal_inspector.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "storage/record_log.h"
#include "storage/wal.h"

namespace norn::dump {
namespace {

using storage::LogContents;
using storage::WalGroupReader;
using storage::WalOpening;

constexpr char kRemedy[] =
    "started on it, the node suspects itself: it goes on under new incarnations and is repaired "
    "from its replicas";

class Inspection {
 public:
  Inspection(const std::string& path, absl::string_view file, const WalHooks& hooks)
      : path_(path), file_(file), hooks_(hooks) {}

  WalReport Run(const LogExpectation& expectation, std::optional<uint64_t> first_sequence);

 private:
  void TakeRecord(const LogContents::Record& record);
  void TakeOpening(uint64_t offset, const WalOpening& opening);
  void TakeGroup(const LogContents::Record& record);
  void CheckChain(uint64_t offset, uint64_t first_sequence);
  void Damage(uint64_t offset, const std::string& what) {
    hooks_.report({Gravity::kDamage, path_, offset, what, kRemedy});
  }

  const std::string& path_;
  const absl::string_view file_;
  const WalHooks& hooks_;
  WalReport wal_;
};

void Inspection::TakeOpening(uint64_t offset, const WalOpening& opening) {
  if (hooks_.opening) hooks_.opening(offset, opening);
  if (offset != storage::kLogHeaderBytes) {
    Damage(offset, "an opening that is not the first record");
    return;
  }
  wal_.opening = opening;
  if (wal_.next_sequence != 0 && wal_.next_sequence != opening.first_sequence) {
    Damage(offset, absl::StrCat("the log says it starts with write ", opening.first_sequence,
                                ", the manifest says ", wal_.next_sequence));
  }
  wal_.next_sequence = opening.first_sequence;
}

void Inspection::CheckChain(uint64_t offset, uint64_t first_sequence) {
  if (wal_.next_sequence == 0 || wal_.next_sequence == first_sequence) return;
  Damage(offset,
         wal_.next_sequence < first_sequence
             ? absl::StrCat("writes ", wal_.next_sequence, " to ", first_sequence - 1,
                            " are missing before this group")
             : absl::StrCat("write ", first_sequence, " where ", wal_.next_sequence, " should be"));
}

void Inspection::TakeGroup(const LogContents::Record& record) {
  // Once to count and to check, once to tell.
  WalGroupReader counting(record.body);
  while (counting.Next()) {
  }
  WalGroupFacts group{.offset = record.offset,
                      .bytes = storage::kRecordHeadBytes + record.body.size(),
                      .synced = SyncedOf(file_, record.offset),
                      .first_sequence = counting.first_sequence(),
                      .entries = counting.count(),
                      .malformed = counting.failed()};
  ++wal_.groups;
  if (hooks_.group) hooks_.group(group);
  WalGroupReader entries(record.body);
  if (!entries.failed()) CheckChain(record.offset, group.first_sequence);
  while (entries.Next()) {
    ++wal_.entries;
    if (!wal_.first_sequence.has_value()) wal_.first_sequence = entries.sequence();
    if (!hooks_.entry) continue;
    const bool deletion = entries.kind() == storage::EntryKind::kDeletion;
    hooks_.entry(entries.sequence(), entries.key(),
                 deletion ? std::nullopt : std::optional(entries.value()));
  }
  if (group.malformed) {
    Damage(record.offset,
           "a record whose checksum is good is neither an opening nor a group of writes");
    return;
  }
  wal_.next_sequence = group.first_sequence + group.entries;
}

void Inspection::TakeRecord(const LogContents::Record& record) {
  const std::optional<WalOpening> opening = storage::DecodeWalOpening(record.body);
  if (opening.has_value()) {
    TakeOpening(record.offset, *opening);
  } else {
    TakeGroup(record);
  }
}

WalReport Inspection::Run(const LogExpectation& expectation,
                          std::optional<uint64_t> first_sequence) {
  wal_.log = InspectLog(storage::LogKind::kWal, path_, file_, expectation, hooks_.report);
  wal_.next_sequence = first_sequence.value_or(0);
  if (hooks_.head) hooks_.head(wal_.log);
  for (const LogContents::Record& record : wal_.log.contents.records) TakeRecord(record);
  const LogContents::Verdict verdict = wal_.log.contents.verdict;
  if (verdict == LogContents::Verdict::kClean && !wal_.opening.has_value()) {
    // It was synced before the manifest named the file.
    Damage(storage::kLogHeaderBytes, "the opening is missing, with all that may have followed it");
  }
  return wal_;
}

}  // namespace

WalReport InspectWal(const std::string& path, absl::string_view file,
                     const LogExpectation& expectation, std::optional<uint64_t> first_sequence,
                     const WalHooks& hooks) {
  return Inspection(path, file, hooks).Run(expectation, first_sequence);
}

std::optional<WalOpening> FindWalOpening(absl::string_view file, uint64_t file_id) {
  const LogContents contents =
      storage::ReadLog(storage::LogKind::kWal, file, file_id, storage::kLogHeaderBytes + 1);
  if (contents.records.empty()) return std::nullopt;
  const LogContents::Record& first = contents.records.front();
  if (first.offset != storage::kLogHeaderBytes) return std::nullopt;
  return storage::DecodeWalOpening(first.body);
}

}  // namespace norn::dump
