#include "tools/dump/verify_wals.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "storage/file_names.h"
#include "storage/manifest.h"
#include "storage/record_log.h"
#include "storage/wal.h"
#include "tools/dump/read_file.h"

namespace norn::dump {
namespace {

using storage::WalRef;

constexpr char kRemedy[] =
    "started on it, the node suspects itself: it goes on under new incarnations and is repaired "
    "from its replicas";

class WalChain {
 public:
  WalChain(const WalChecks& checks, const storage::VersionState& version)
      : checks_(checks), version_(version) {}

  void Run();

 private:
  std::optional<std::string> Read(const WalRef& ref);
  void Check(const WalRef& ref, absl::string_view file, const WalRef* next,
             const std::optional<storage::WalOpening>& next_opening);
  // What of `file` counts: all, or what the next log vouches for.
  absl::string_view Counted(const WalRef& ref, absl::string_view file, const WalRef* next,
                            const std::optional<storage::WalOpening>& next_opening,
                            uint64_t* vouched);
  std::string PathOf(const WalRef& ref) const { return storage::WalPath(checks_.dir, ref.number); }
  void Damage(const std::string& path, std::optional<uint64_t> offset, const std::string& what) {
    checks_.report({Gravity::kDamage, path, offset, what, kRemedy});
  }

  const WalChecks& checks_;
  const storage::VersionState& version_;
  uint64_t expected_ = 0;  // the write that the next log should start with; 0: not known
};

std::optional<std::string> WalChain::Read(const WalRef& ref) {
  const std::string path = PathOf(ref);
  std::vector<Finding> findings;
  std::optional<std::string> file = ReadLogFile(
      checks_.file_system, path, [&](const Finding& finding) { findings.push_back(finding); });
  if (file.has_value()) return file;
  if (checks_.file_system->Exists(path)) {
    for (const Finding& finding : findings) checks_.report(finding);
  } else if (checks_.still_named(ref.number)) {
    Damage(path, std::nullopt, "is missing although the manifest names it");
  }
  return std::nullopt;
}

absl::string_view WalChain::Counted(const WalRef& ref, absl::string_view file, const WalRef* next,
                                    const std::optional<storage::WalOpening>& next_opening,
                                    uint64_t* vouched) {
  // Its header and opening were synced before the manifest named it.
  *vouched = storage::kLogHeaderBytes + 1;
  if (next == nullptr || !next_opening.has_value()) return file;
  if (next_opening->previous_number != ref.number) {
    Damage(PathOf(*next), storage::kLogHeaderBytes,
           absl::StrCat("it says that it follows log ", next_opening->previous_number,
                        "; the manifest has ", ref.number, " before it"));
    return file;
  }
  *vouched = std::max(*vouched, next_opening->previous_bytes);
  const absl::string_view counted = file.substr(0, static_cast<size_t>(*vouched));
  const absl::string_view behind = file.substr(counted.size());
  if (behind.find_first_not_of('\0') != absl::string_view::npos) {
    checks_.report(
        {Gravity::kNotice, PathOf(ref), counted.size(),
         absl::StrCat("what stands here does not count: log ", next->number, " goes on from here"),
         ""});
  }
  return counted;
}

void WalChain::Check(const WalRef& ref, absl::string_view file, const WalRef* next,
                     const std::optional<storage::WalOpening>& next_opening) {
  const std::string path = PathOf(ref);
  if (expected_ != 0 && ref.first_sequence > expected_) {
    Damage(path, std::nullopt,
           absl::StrCat("writes ", expected_, " to ", ref.first_sequence - 1,
                        ", which should stand before this log, are missing"));
  }
  LogExpectation expectation{.file_id = ref.file_id,
                             .may_be_growing = checks_.in_use && next == nullptr};
  const absl::string_view counted =
      Counted(ref, file, next, next_opening, &expectation.vouched_bytes);
  WalHooks hooks;
  hooks.entry = [&](uint64_t, absl::string_view key, std::optional<absl::string_view> value) {
    if (value.has_value()) checks_.entry(key, *value);
  };
  hooks.report = checks_.report;
  const WalReport report = InspectWal(path, counted, expectation, ref.first_sequence, hooks);
  expected_ = report.log.contents.records.empty() ? 0 : report.next_sequence;
  checks_.read(path, report);
}

void WalChain::Run() {
  const std::vector<WalRef>& wals = version_.wals;
  if (wals.empty()) {
    if (version_.checkpoint.has_value()) return;  // has none of its own accord
    Damage(checks_.dir, std::nullopt, "the manifest names no write-ahead log");
    return;
  }
  expected_ = version_.flushed_sequence + 1;
  std::optional<std::string> file = Read(wals[0]);
  for (size_t i = 0; i < wals.size(); ++i) {
    const WalRef* const next = i + 1 < wals.size() ? &wals[i + 1] : nullptr;
    std::optional<std::string> next_file;
    std::optional<storage::WalOpening> next_opening;
    if (next != nullptr) next_file = Read(*next);
    if (next_file.has_value()) next_opening = FindWalOpening(*next_file, next->file_id);
    if (file.has_value()) {
      Check(wals[i], *file, next, next_opening);
    } else {
      expected_ = 0;
    }
    file = std::move(next_file);
  }
}

}  // namespace

void VerifyWals(const WalChecks& checks, const storage::VersionState& version) {
  WalChain(checks, version).Run();
}

}  // namespace norn::dump
