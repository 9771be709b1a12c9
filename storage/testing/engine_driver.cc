#include "storage/testing/engine_driver.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/check.h"

namespace norn::storage {

bool RunJob(Engine* engine, Lane lane) {
  std::unique_ptr<Job> job = engine->NextJob(lane);
  if (job == nullptr) return false;
  while (!job->RunStep()) {
  }
  engine->Finish(std::move(job));
  return true;
}

void RunJobs(Engine* engine, int patience) {
  for (int idle = 0; idle <= patience;) {
    bool ran = false;
    for (const Lane lane : {Lane::kLog, Lane::kRead, Lane::kBackground}) {
      ran = RunJob(engine, lane) || ran;
    }
    if (!ran) ++idle;
  }
}

absl::StatusOr<std::optional<std::string>> GetNow(Engine* engine, absl::string_view key) {
  std::shared_ptr<PendingRead> read;
  for (;;) {
    Lookup lookup = engine->Get(key, &read);
    switch (lookup.state) {
      case Lookup::State::kFound:
        return std::optional<std::string>(std::move(lookup.value));
      case Lookup::State::kAbsent:
        return std::optional<std::string>();
      case Lookup::State::kError:
        return lookup.status;
      case Lookup::State::kNeedsRead:
        while (RunJob(engine, Lane::kRead)) {
        }
        CORE_CHECK(!engine->TakeFinishedReads().empty());
        break;
    }
  }
}

absl::StatusOr<std::map<std::string, std::string>> ScanAll(Engine* engine, size_t page) {
  std::map<std::string, std::string> all;
  std::string from;
  do {
    std::vector<Engine::Entry> entries;
    std::string next;
    const absl::Status status = engine->Scan(from, "", page, 1u << 20, &entries, &next);
    if (!status.ok()) return status;
    for (Engine::Entry& entry : entries) {
      const bool is_new = all.emplace(std::move(entry.key), std::move(entry.value)).second;
      CORE_CHECK(is_new);
    }
    from = std::move(next);
  } while (!from.empty());
  return all;
}

}  // namespace norn::storage
