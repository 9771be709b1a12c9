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
#include "storage/range_drops.h"
#include "storage/testing/engine_driver.h"

namespace norn::storage {
namespace {

using Map = std::map<std::string, std::string>;

struct Action {
  enum class Kind {
    kPut,
    kDelete,
    kGet,
    kScan,
    kDropRange,
    kRunOneJob,
    kRunAllJobs,
    kReopen,
    kCrash
  };
  Kind kind = Kind::kPut;
  int key = 0;
  int value_bytes = 0;
};

std::ostream& operator<<(std::ostream& out, const Action& action) {
  static const char* const kNames[] = {"put",     "delete",   "get",    "scan", "drop range",
                                       "one job", "all jobs", "reopen", "crash"};
  return out << kNames[static_cast<int>(action.kind)] << " " << action.key << " "
             << action.value_bytes;
}

rc::Gen<Action> AnyAction() {
  using Kind = Action::Kind;
  return rc::gen::build<Action>(
      rc::gen::set(&Action::kind, rc::gen::weightedElement<Kind>({{50, Kind::kPut},
                                                                  {10, Kind::kDelete},
                                                                  {15, Kind::kGet},
                                                                  {3, Kind::kScan},
                                                                  {3, Kind::kDropRange},
                                                                  {15, Kind::kRunOneJob},
                                                                  {4, Kind::kRunAllJobs},
                                                                  {1, Kind::kReopen},
                                                                  {1, Kind::kCrash}})),
      rc::gen::set(&Action::key, rc::gen::inRange(0, 50)),
      rc::gen::set(&Action::value_bytes, rc::gen::inRange(0, 400)));
}

class Model {
 public:
  explicit Model(bool compress) {
    options_.dir = "/data";
    options_.owner = "o";
    options_.memtable_bytes = 4000;
    options_.block_bytes = 300;
    options_.index_partition_bytes = 100;
    options_.block_cache_bytes = 3000;
    options_.level0_tables_to_compact = 2;
    options_.level1_bytes = 5000;
    options_.level_growth = 2;
    options_.table_bytes = 2500;
    options_.wal_preallocate_bytes = 0;
    if (compress) options_.compression = Compression::kLz4;
    if (compress) options_.last_level_compression = Compression::kZstd;
    Open();
  }

  void Do(const Action& action) {
    const std::string key = absl::StrCat("key", action.key);
    switch (action.kind) {
      case Action::Kind::kPut: {
        std::string value = absl::StrCat("v", ++puts_, "-");
        value.append(static_cast<size_t>(action.value_bytes), 'x');
        Write(key, std::move(value));
        break;
      }
      case Action::Kind::kDelete:
        Write(key, std::nullopt);
        break;
      case Action::Kind::kGet: {
        const auto got = GetNow(engine_.get(), key);
        RC_ASSERT(got.ok());
        RC_ASSERT(*got == Expected(key));
        break;
      }
      case Action::Kind::kScan:
        CheckScan(key, static_cast<size_t>(action.value_bytes % 9 + 1));
        break;
      case Action::Kind::kDropRange: {
        const std::string to = absl::StrCat("key", action.value_bytes % 60);
        drops_.push_back({.from = key, .to = to > key ? to : "", .sequence = history_.size()});
        engine_->DropRange(key, drops_.back().to, drops_.size());
        break;
      }
      case Action::Kind::kRunOneJob:
        RunJob(engine_.get(), action.value_bytes % 3 == 0 ? Lane::kLog : Lane::kBackground);
        break;
      case Action::Kind::kRunAllJobs:
        RunJobs(engine_.get());
        RC_ASSERT(engine_->durable_sequence() == history_.size());
        TakeDrops();
        RC_ASSERT(done_drops_ == drops_.size());
        break;
      case Action::Kind::kReopen:
        RunJobs(engine_.get());
        TakeDrops();
        Open();
        break;
      case Action::Kind::kCrash:
        Crash();
        break;
    }
    TakeDrops();
  }

  void CheckAll() {
    const absl::StatusOr<Map> all = ScanAll(engine_.get(), 7);
    RC_ASSERT(all.ok());
    RC_ASSERT(*all == map_);
  }

 private:
  // Nothing: a deletion.
  void Write(const std::string& key, std::optional<std::string> value) {
    uint64_t sequence = 0;
    const auto write = [&] {
      return value.has_value() ? engine_->Put(key, *value, &sequence)
                               : engine_->Delete(key, &sequence);
    };
    absl::Status status = write();
    if (absl::IsResourceExhausted(status)) {
      RunJobs(engine_.get());
      TakeDrops();
      status = write();
    }
    RC_ASSERT(status.ok());
    history_.emplace_back(key, std::move(value));
    Apply(history_.back());
    RC_ASSERT(sequence == history_.size());
  }

  void Apply(const std::pair<std::string, std::optional<std::string>>& write) {
    if (write.second.has_value()) {
      map_[write.first] = *write.second;
    } else {
      map_.erase(write.first);
    }
  }

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
    drops_.resize(done_drops_);
    Replay();
    Open();
  }

  // Drops are done in the order in which they were asked for.
  void TakeDrops() {
    for (const Engine::FinishedRangeDrop& drop : engine_->TakeFinishedRangeDrops()) {
      RC_ASSERT(drop.status.ok());
      RC_ASSERT(drop.ticket == ++done_drops_);
      RC_ASSERT(drop.sequence == drops_[done_drops_ - 1].sequence);
      Replay();
    }
  }

  // What the history makes, without what the drops that are done take away.
  void Replay() {
    map_.clear();
    for (size_t i = 0; i < history_.size(); ++i) {
      bool gone = false;
      for (size_t k = 0; k < done_drops_; ++k) {
        gone = gone || (i + 1 <= drops_[k].sequence && drops_[k].Covers(history_[i].first));
      }
      if (!gone) Apply(history_[i]);
    }
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
  std::vector<std::pair<std::string, std::optional<std::string>>> history_;
  std::vector<RangeDrop> drops_;
  size_t done_drops_ = 0;
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
