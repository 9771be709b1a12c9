// Hostile logs: the reader stays inside its input, and what it calls good is.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/check.h"
#include "storage/record_log.h"
#include "storage/wal.h"
#include "tests/fuzz/corpus_main.h"

namespace norn {
namespace {

using storage::LogContents;

constexpr uint64_t kFileId = 99;

// The body of a record, whatever it is: the checksums before it do not stop a bug here.
void ReadBody(absl::string_view body) {
  storage::WalGroupReader reader(body);
  uint64_t bytes = 0;
  uint64_t previous = 0;
  while (reader.Next()) {
    CORE_CHECK(reader.sequence() > previous);
    previous = reader.sequence();
    bytes += reader.key().size() + reader.value().size();
  }
  CORE_CHECK(bytes <= body.size());
  const std::optional<storage::WalOpening> opening = storage::DecodeWalOpening(body);
  if (opening.has_value()) CORE_CHECK(storage::EncodeWalOpening(*opening) == body);
}

void ReadFile(absl::string_view file, std::optional<uint64_t> expected_id, uint64_t vouched) {
  const LogContents contents = storage::ReadLog(storage::LogKind::kWal, file, expected_id, vouched);
  CORE_CHECK(contents.good_bytes <= file.size());
  CORE_CHECK(contents.records_before_damage <= contents.records.size());
  uint64_t end = storage::kLogHeaderBytes;
  for (const LogContents::Record& record : contents.records) {
    CORE_CHECK(record.offset >= end);
    end = record.offset + storage::kRecordHeadBytes + record.body.size();
    CORE_CHECK(end <= file.size());
    ReadBody(record.body);
  }
  switch (contents.verdict) {
    case LogContents::Verdict::kClean:
      CORE_CHECK(contents.good_bytes >= vouched);
      // Zeros may follow: see FileSystem::CreateLog.
      CORE_CHECK(file.substr(static_cast<size_t>(contents.good_bytes)).find_first_not_of('\0') ==
                 absl::string_view::npos);
      break;
    case LogContents::Verdict::kTorn:
      CORE_CHECK(contents.records.size() == contents.records_before_damage);
      CORE_CHECK(contents.good_bytes >= vouched);
      break;
    case LogContents::Verdict::kDamaged:
    case LogContents::Verdict::kNoLog:
    case LogContents::Verdict::kNewer:
      break;
  }
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  std::vector<std::string> seeds;
  for (int groups = 0; groups < 6; ++groups) {
    storage::LogEncoder encoder(storage::LogKind::kWal, 7, kFileId);
    std::string file;
    encoder.AppendHeader(&file);
    encoder.AppendRecord(storage::EncodeWalOpening(
                             {.first_sequence = 10, .previous_number = 3, .previous_bytes = 4000}),
                         &file);
    uint64_t sequence = 10;
    for (int i = 0; i < groups; ++i) {
      if (i % 2 == 0) encoder.MarkSynced();
      storage::WalGroup group(sequence);
      for (int entry = 0; entry <= i; ++entry, ++sequence) {
        group.Add(absl::StrCat("key", entry), std::string(static_cast<size_t>(i) * 40, 'v'));
      }
      const std::string& record = group.Seal(&encoder);
      file += record;
      // A body by itself, for the part behind the checksums.
      seeds.push_back(record.substr(storage::kRecordHeadBytes));
    }
    seeds.push_back(file);
    seeds.push_back(file + std::string(100, '\0'));
  }
  return seeds;
}

}  // namespace norn

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  norn::ReadBody(input);
  norn::ReadFile(input, std::nullopt, 0);
  norn::ReadFile(input, norn::kFileId, size / 2);
  return 0;
}
