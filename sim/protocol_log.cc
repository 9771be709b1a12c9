#include "sim/protocol_log.h"

#include <cstdint>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/coding.h"
#include "core/crc32c.h"

namespace norn::sim {

namespace {

constexpr char kDirectory[] = "/log";
constexpr char kWhole[] = ".log";  // copied to its end; the highest number counts
constexpr char kUnfinished[] = ".tmp";
constexpr size_t kHeaderBytes = 8;

std::string PathOf(uint64_t number, const char* suffix) {
  return absl::StrCat(kDirectory, "/", number, suffix);
}

std::string FrameOf(const std::string& record) {
  std::string body;
  AppendFixed32(&body, static_cast<uint32_t>(record.size()));
  body += record;
  std::string frame;
  AppendFixed32(&frame, Crc32c(body));
  return frame + body;
}

std::vector<std::string> RecordsOf(absl::string_view bytes) {
  std::vector<std::string> records;
  while (bytes.size() >= kHeaderBytes) {
    const uint32_t crc = LoadFixed32(bytes.data());
    const size_t size = LoadFixed32(bytes.data() + 4);
    if (size > bytes.size() - kHeaderBytes || Crc32c(bytes.substr(4, 4 + size)) != crc) break;
    records.emplace_back(bytes.substr(kHeaderBytes, size));
    bytes.remove_prefix(kHeaderBytes + size);
  }
  return records;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ProtocolLog>> ProtocolLog::Open(storage::FileSystem* files,
                                                               std::vector<std::string>* records) {
  records->clear();
  if (absl::Status made = files->CreateDir(kDirectory); !made.ok()) return made;
  if (absl::Status synced = files->SyncDir("/"); !synced.ok()) return synced;
  const auto names = files->List(kDirectory);
  if (!names.ok()) return names.status();
  uint64_t newest = 0;
  for (const std::string& name : *names) {
    uint64_t number = 0;
    const absl::string_view digits(name.data(), name.find('.'));
    if (absl::EndsWith(name, kWhole) && absl::SimpleAtoi(digits, &number) && number > newest) {
      newest = number;
    }
  }
  if (newest > 0) {
    const auto bytes = files->ReadFile(PathOf(newest, kWhole));
    if (!bytes.ok()) return bytes.status();
    *records = RecordsOf(*bytes);
  }
  const std::string unfinished = PathOf(newest + 1, kUnfinished);
  if (files->Exists(unfinished)) {
    if (absl::Status removed = files->Remove(unfinished); !removed.ok()) return removed;
  }
  auto file = files->CreateNew(unfinished, 0);
  if (!file.ok()) return file.status();
  std::unique_ptr<ProtocolLog> log(new ProtocolLog(*std::move(file)));
  for (const std::string& record : *records) {
    if (absl::Status appended = log->Append(record); !appended.ok()) return appended;
  }
  if (absl::Status synced = log->Sync(); !synced.ok()) return synced;
  const std::string whole = PathOf(newest + 1, kWhole);
  if (absl::Status renamed = files->Rename(unfinished, whole); !renamed.ok()) return renamed;
  if (absl::Status synced = files->SyncDir(kDirectory); !synced.ok()) return synced;
  if (newest > 0) {
    if (absl::Status removed = files->Remove(PathOf(newest, kWhole)); !removed.ok()) return removed;
  }
  return log;
}

absl::Status ProtocolLog::Append(const std::string& record) {
  return file_->Append(FrameOf(record));
}

}  // namespace norn::sim
