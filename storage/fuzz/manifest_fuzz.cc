// Hostile manifests: an answer or an error, and edits that mean the same when they are
// written again.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/check.h"
#include "core/crc32c.h"
#include "storage/log_jobs.h"
#include "storage/manifest.h"
#include "storage/record_log.h"
#include "tests/fuzz/corpus_main.h"

namespace norn {
namespace {

using storage::VersionEdit;

void ReadEdit(absl::string_view body) {
  const std::optional<VersionEdit> edit = storage::DecodeEdit(body);
  if (!edit.has_value()) return;
  const std::string again = storage::EncodeEdit(*edit);
  const std::optional<VersionEdit> copy = storage::DecodeEdit(again);
  CORE_CHECK(copy.has_value() && storage::EncodeEdit(*copy) == again);
  storage::VersionState state;
  storage::VersionState other;
  CORE_CHECK(state.Apply(*edit) == other.Apply(*copy));
}

void ReadCurrent(absl::string_view text) {
  const absl::StatusOr<storage::Current> current = storage::DecodeCurrent("CURRENT", text);
  if (!current.ok()) return;
  const absl::StatusOr<storage::Current> copy =
      storage::DecodeCurrent("CURRENT", storage::EncodeCurrent(*current));
  CORE_CHECK(copy.ok() && copy->owner == current->owner);
}

VersionEdit MakeEdit(uint64_t n) {
  VersionEdit edit;
  edit.flushed_sequence = 100 * n;
  edit.next_file_number = 10 + n;
  edit.added_wals = {{.number = n + 1, .file_id = n, .first_sequence = 100 * n + 1}};
  edit.added_tables = {{.level = static_cast<int>(n % 7),
                        .meta = {.number = 1000 + n,
                                 .file_id = n,
                                 .bytes = 5,
                                 .entries = 4,
                                 .smallest = "a",
                                 .largest = "b",
                                 .smallest_sequence = 1,
                                 .largest_sequence = 2}}};
  if (n > 0) {
    edit.dropped_wals = {n};
    edit.dropped_tables = {{.level = static_cast<int>((n - 1) % 7), .number = 999 + n}};
    edit.suspect = n % 2 == 0;
    edit.lost_from = n;
    edit.given_up = {{.table = 1000 + n, .offset = 50}};
    edit.lifted = {{.from = "a", .until = "b", .sequence = n}};
    edit.quarantined = {{.from = "b", .until = "c", .sequence = n, .table = n, .reason = "r"}};
  }
  return edit;
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  std::vector<std::string> seeds;
  for (uint64_t edits = 1; edits < 6; ++edits) {
    storage::LogEncoder encoder(storage::LogKind::kManifest, 3, 5);
    std::string file;
    encoder.AppendHeader(&file);
    for (uint64_t n = 0; n < edits; ++n) {
      encoder.AppendRecord(storage::EncodeEdit(MakeEdit(n)), &file);
      encoder.MarkSynced();
    }
    CORE_CHECK(storage::ReadManifest("m", file).ok());
    seeds.push_back(file);
    seeds.push_back(storage::EncodeEdit(MakeEdit(edits)));
    const std::string current = storage::EncodeCurrent({.owner = "cluster/n1", .manifest = edits});
    seeds.push_back(current);
    seeds.push_back(current.substr(0, current.rfind("crc ")));
    seeds.push_back(storage::EncodeSlot("lease", std::string(edits, 'x')));
  }
  return seeds;
}

}  // namespace norn

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  norn::ReadEdit(input);
  norn::storage::ReadManifest("manifest", input).status().IgnoreError();
  norn::ReadCurrent(input);
  // With a good checksum, so that the parser behind it meets the damage.
  norn::ReadCurrent(
      absl::StrCat(input, "crc ", absl::Hex(norn::Crc32c(input), absl::kZeroPad8), "\n"));
  const std::optional<std::string> slot = norn::storage::DecodeSlot("lease", input);
  if (slot.has_value()) CORE_CHECK(norn::storage::EncodeSlot("lease", *slot) == input);
  return 0;
}
