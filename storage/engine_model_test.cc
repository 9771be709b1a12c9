// Random histories of the engine against a std::map.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "rapidcheck.h"
#include "rapidcheck/gtest.h"
#include "sim/sim_disk.h"
#include "sim/sim_file_system.h"
#include "storage/engine.h"
#include "storage/testing/engine_driver.h"

namespace norn::storage {
namespace {

using Map = std::map<std::string, std::string>;

struct Action {
  enum class Kind { kPut, kGet, kScan, kRunOneJob, kRunAllJobs, kReopen, kCrash };
  Kind kind = Kind::kPut;
  int key = 0;
  int value_bytes = 0;
};

std::ostream& operator<<(std::ostream& out, const Action& action) {
  static const char* const kNames[] = {"put",      "get",    "scan", "one job",
                                       "all jobs", "reopen", "crash"};
  return out << kNames[static_cast<int>(action.kind)] << " " << action.key << " "
             << action.value_bytes;
}

rc::Gen<Action> AnyAction() {
  using Kind = Action::Kind;
  return rc::gen::build<Action>(
      rc::gen::set(&Action::kind, rc::gen::weightedElement<Kind>({{60, Kind::kPut},
                                                                  {15, Kind::kGet},
                                                                  {3, Kind::kScan},
                                                                  {15, Kind::kRunOneJob},
                                                                  {4, Kind::kRunAllJobs},
                                                                  {1, Kind::kReopen},
                                                                  {1, Kind::kCrash}})),
      rc::gen::set(&Action::key, rc::gen::inRange(0, 50)),
      // An empty value would be a removal: engine_test.cc.
      rc::gen::set(&Action::value_bytes, rc::gen::inRange(1, 400)));
}

class Model {
 public:
  explicit Model(bool compress) {
    options_.dir = "/data";
    options_.owner = "o";
    options_.memtable_bytes = 4000;
    options_.block_bytes = 300;
    options_.block_cache_bytes = 3000;
    options_.level0_tables_to_compact = 2;
    options_.level1_bytes = 5000;
    options_.level_growth = 2;
    options_.table_bytes = 2500;
    options_.wal_preallocate_bytes = 0;
    options_.compress_blocks = compress;
    Open();
  }

  void Do(const Action& action) {
    const std::string key = absl::StrCat("key", action.key);
    switch (action.kind) {
      case Action::Kind::kPut: {
        std::string value = absl::StrCat("v", ++puts_, "-");
        value.append(static_cast<size_t>(action.value_bytes), 'x');
        uint64_t sequence = 0;
        absl::Status status = engine_->Put(key, value, &sequence);
        if (absl::IsResourceExhausted(status)) {
          RunJobs(engine_.get());
          status = engine_->Put(key, value, &sequence);
        }
        RC_ASSERT(status.ok());
        map_[key] = value;
        history_.emplace_back(key, value);
        RC_ASSERT(sequence == history_.size());
        break;
      }
      case Action::Kind::kGet: {
        const auto got = GetNow(engine_.get(), key);
        RC_ASSERT(got.ok());
        RC_ASSERT(*got == Expected(key));
        break;
      }
      case Action::Kind::kScan:
        CheckScan(key, static_cast<size_t>(action.value_bytes % 9 + 1));
        break;
      case Action::Kind::kRunOneJob:
        RunJob(engine_.get(), action.value_bytes % 3 == 0 ? Lane::kLog : Lane::kBackground);
        break;
      case Action::Kind::kRunAllJobs:
        RunJobs(engine_.get());
        RC_ASSERT(engine_->durable_sequence() == history_.size());
        break;
      case Action::Kind::kReopen:
        RunJobs(engine_.get());
        Open();
        break;
      case Action::Kind::kCrash:
        Crash();
        break;
    }
  }

  void CheckAll() {
    const absl::StatusOr<Map> all = ScanAll(engine_.get(), 7);
    RC_ASSERT(all.ok());
    RC_ASSERT(*all == map_);
  }

 private:
  void Open() {
    engine_.reset();
    file_system_ = std::make_unique<sim::SimFileSystem>(&disk_);
    ++options_.seed;
    RecoveryReport report;
    auto engine = Engine::Open(*file_system_, options_, &report);
    RC_ASSERT(engine.ok());
    engine_ = *std::move(engine);
    RC_ASSERT(!report.suspect);
    RC_ASSERT(report.last_sequence == history_.size());
  }

  void Crash() {
    const uint64_t durable = engine_->durable_sequence();
    disk_.Crash(sim::CrashLoss::kAllUnsynced);
    disk_.Restart();
    // Between jobs nothing is half written: exactly what was durable is there.
    history_.resize(durable);
    map_.clear();
    for (const auto& [key, value] : history_) map_[key] = value;
    Open();
  }

  std::optional<std::string> Expected(const std::string& key) const {
    const auto found = map_.find(key);
    if (found == map_.end()) return std::nullopt;
    return found->second;
  }

  void CheckScan(const std::string& from, size_t page) {
    std::vector<Engine::Entry> entries;
    std::string next;
    RC_ASSERT(engine_->Scan(from, "", page, 1u << 20, &entries, &next).ok());
    auto expected = map_.lower_bound(from);
    for (const Engine::Entry& entry : entries) {
      RC_ASSERT(expected != map_.end());
      RC_ASSERT(entry.key == expected->first);
      RC_ASSERT(entry.value == expected->second);
      ++expected;
    }
    RC_ASSERT(next == (expected == map_.end() ? "" : expected->first));
    RC_ASSERT(entries.size() == page || next.empty());
  }

  sim::SimDisk disk_{1};
  std::unique_ptr<sim::SimFileSystem> file_system_;
  EngineOptions options_;
  std::unique_ptr<Engine> engine_;
  Map map_;
  std::vector<std::pair<std::string, std::string>> history_;
  uint64_t puts_ = 0;
};

RC_GTEST_PROP(EngineModelTest, BehavesLikeAMap, ()) {
  const auto actions = *rc::gen::scale(15.0, rc::gen::container<std::vector<Action>>(AnyAction()));
  Model model(*rc::gen::arbitrary<bool>());
  for (const Action& action : actions) model.Do(action);
  model.CheckAll();
}

}  // namespace
}  // namespace norn::storage
