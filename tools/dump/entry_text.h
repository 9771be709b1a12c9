// What the engine's keys and values mean to Norn: keys are partition, bucket and the client's
// key (MakeEngineKey, MakeRecordKey), values are records (core/causality/record.h). Bytes
// that do not parse as such are shown as they are.

#ifndef NORN_TOOLS_DUMP_ENTRY_TEXT_H_
#define NORN_TOOLS_DUMP_ENTRY_TEXT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "core/types.h"
#include "tools/dump/fact.h"
#include "tools/dump/options.h"

namespace norn::dump {

struct EngineKeyParts {
  PartitionId partition = 0;
  BucketId bucket = 0;
  absl::string_view key;  // the client's; points into what was split
};

// The inverse of MakeEngineKey(partition, MakeRecordKey(bucket, key)); nothing if too short.
std::optional<EngineKeyParts> SplitEngineKey(absl::string_view engine_key);

// "partition 3, bucket 0, \"user:1\"": for sentences.
std::string KeyText(absl::string_view engine_key, bool keys_hex);

// An entry of a log or a table, with the record taken apart. Nothing as `value`: a deletion.
Fact EntryFact(uint64_t sequence, absl::string_view engine_key,
               std::optional<absl::string_view> value, const Options& options);

// The fields that name a key, with `prefix` before their names.
void AddKey(absl::string_view prefix, absl::string_view engine_key, bool keys_hex, Fact* fact);

// Whether --from and --to let the key through.
bool IsWithin(const Options& options, absl::string_view engine_key);

}  // namespace norn::dump

#endif  // NORN_TOOLS_DUMP_ENTRY_TEXT_H_
