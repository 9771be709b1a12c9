// Runs an engine's jobs in tests, at once and on the test's thread.

#ifndef NORN_STORAGE_TESTING_ENGINE_DRIVER_H_
#define NORN_STORAGE_TESTING_ENGINE_DRIVER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/engine.h"

namespace norn::storage {

// Runs one job of the lane, if there is one.
bool RunJob(Engine* engine, Lane lane);

// Runs jobs of all lanes until none can start. Asks `patience` times more in vain, all in
// all: an engine pauses after a failure, for up to 256 occasions.
void RunJobs(Engine* engine, int patience = 0);

// Get, with the reads that it needs. Nothing: absent.
absl::StatusOr<std::optional<std::string>> GetNow(Engine* engine, absl::string_view key);

// All entries, by pages of `page` entries.
absl::StatusOr<std::map<std::string, std::string>> ScanAll(Engine* engine, size_t page);

}  // namespace norn::storage

#endif  // NORN_STORAGE_TESTING_ENGINE_DRIVER_H_
