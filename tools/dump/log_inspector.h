// What a record log (storage/record_log.h) holds and where it is bad: the common ground of
// dumping and verifying write-ahead logs and manifests. Pure functions over bytes.

#ifndef NORN_TOOLS_DUMP_LOG_INSPECTOR_H_
#define NORN_TOOLS_DUMP_LOG_INSPECTOR_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "storage/record_log.h"
#include "tools/dump/console.h"
#include "tools/dump/fact.h"

namespace norn::dump {

// What other files say about a log.
struct LogExpectation {
  std::optional<uint64_t> file_id = std::nullopt;
  uint64_t vouched_bytes = 0;  // this many were synced
  // A node may be writing to its end: a tail that is not whole is no damage.
  bool may_be_growing = false;
};

struct LogReport {
  storage::LogContents contents;
  bool header_good = false;
  uint64_t file_bytes = 0;
  // Zeros at the end, which the file system set aside: they hold nothing.
  uint64_t zero_bytes = 0;
  uint64_t bad_bytes = 0;
};

// Reads the log, and reports what is bad. `path` is for the reports; a number in its name
// must be the header's.
LogReport InspectLog(storage::LogKind kind, const std::string& path, absl::string_view file,
                     const LogExpectation& expectation, const FindingSink& report);

// Bytes of the file that were known durable when the record at `offset` was written; it is
// one of the report's records.
uint64_t SyncedOf(absl::string_view file, uint64_t offset);

// "clean", "torn", "damaged", "no log", "newer".
absl::string_view VerdictName(storage::LogContents::Verdict verdict);

// The file and its header, in words.
Fact LogHeadFact(absl::string_view kind, const std::string& path, const LogReport& log);

}  // namespace norn::dump

#endif  // NORN_TOOLS_DUMP_LOG_INSPECTOR_H_
