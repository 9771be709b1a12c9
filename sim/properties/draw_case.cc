#include "sim/properties/draw_case.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/check.h"
#include "sim/case.h"
#include "sim/properties/draw_faults.h"

namespace norn::sim {

namespace {

constexpr int64_t kQuietUs = 300'000;     // until the nodes know each other
constexpr int64_t kShortestUs = 500'000;  // for faults, however soon clients are done
constexpr int64_t kAfterUs = 100'000;

struct Setting {
  const char* name;
  int64_t value;
};
// Replicas agree soon, and who waits does not wait for long.
constexpr Setting kUsual[] = {
    {"node.request_timeout_us", 1'000'000},   {"node.gossip_interval_us", 200'000},
    {"node.suspect_after_us", 1'000'000},     {"node.speculate_after_us", 10'000},
    {"node.exchange_interval_us", 100'000},   {"node.tree_bucket_keys", 2},
    {"node.tree_scrub_interval_us", 300'000}, {"node.tombstone_keep_us", 500'000},
    {"node.tombstone_interval_us", 300'000},  {"client.patience_us", 2'000'000},
};
constexpr Setting kOfIllDisks[] = {
    {"engine.memtable_bytes", 200},
    {"engine.block_cache_bytes", 0},
    {"engine.record_cache_bytes", 0},
    {"engine.wal_preallocate_bytes", 512},
};

int64_t Draw(Random& random, const Range& range) { return random.Between(range.least, range.most); }

// As far as the size lets it.
int64_t DrawSized(Random& random, const Range& range, int size) {
  return random.Between(range.least, range.least + (range.most - range.least) * size / kSizeMost);
}

void DrawTopology(Random& random, const TopologyShape& shape, v1::Case* written) {
  struct Choice {
    int64_t n, r, w;
  };
  std::vector<std::vector<Choice>> by_nodes;
  std::vector<int64_t> sizes;
  for (int64_t nodes = shape.nodes.least; nodes <= shape.nodes.most; ++nodes) {
    std::vector<Choice> choices;
    for (int64_t n = 1; n <= nodes; ++n) {
      for (int64_t r = 1; r <= n; ++r) {
        for (int64_t w = 1; w <= n; ++w) {
          if (FitsQuorums(shape, n, r, w)) choices.push_back({n, r, w});
        }
      }
    }
    if (choices.empty()) continue;
    by_nodes.push_back(std::move(choices));
    sizes.push_back(nodes);
  }
  CORE_CHECK(!sizes.empty());
  const size_t place = random.Below(sizes.size());
  const Choice& choice = by_nodes[place][random.Below(by_nodes[place].size())];
  const int64_t zones = std::min(Draw(random, shape.zones), sizes[place]);
  for (int64_t i = 0; i < sizes[place]; ++i) {
    written->add_node()->set_zone(absl::StrCat("z", i % zones));
  }
  v1::CaseBucket& bucket = *written->mutable_bucket();
  bucket.set_partitions(shape.partitions);
  bucket.set_n(static_cast<uint32_t>(choice.n));
  bucket.set_r(static_cast<uint32_t>(choice.r));
  bucket.set_w(static_cast<uint32_t>(choice.w));
  const bool sloppy = shape.sloppy == StandIns::kAlways ||
                      (shape.sloppy == StandIns::kEither && random.Chance(1, 2));
  if (sloppy) bucket.set_sloppy(true);
}

void AddSetting(const std::string& name, int64_t value, v1::Case* written) {
  for (v1::CaseKnob& knob : *written->mutable_knob()) {
    if (knob.name() != name || knob.has_only_node()) continue;
    knob.set_value(value);
    return;
  }
  v1::CaseKnob& knob = *written->add_knob();
  knob.set_name(name);
  knob.set_value(value);
}

void DrawSettings(Random& random, const CaseShape& shape, v1::Case* written) {
  for (const Setting& setting : kUsual) AddSetting(setting.name, setting.value, written);
  const int64_t fastest_us = random.Between(50, 500);
  AddSetting("network.delay_min_us", fastest_us, written);
  AddSetting("network.delay_max_us", fastest_us + random.Between(100, 4'000), written);
  for (const auto& [name, value] : shape.settings) AddSetting(name, value, written);
}

bool AnyOfClocks(const v1::Case& written) {
  return CountFaults(written, FaultKind::kClockJump) +
             CountFaults(written, FaultKind::kClockDrift) >
         0;
}

class WorkloadDraw {
 public:
  WorkloadDraw(Random& random, const WorkloadShape& shape, v1::Case* written)
      : random_(random), shape_(shape), written_(*written) {
    expiring_ = !AnyOfClocks(written_);
  }

  void Draw(int size) {
    const int64_t clients = norn::sim::Draw(random_, shape_.clients);
    const int64_t keys = norn::sim::Draw(random_, shape_.keys);
    std::vector<std::string> names;
    for (int64_t i = 0; i < keys; ++i) {
      const bool last = random_.Below(1000) < shape_.last_writer_per_mille;
      names.push_back(absl::StrCat(last ? "l" : "k", i));
    }
    std::vector<int64_t> next_us(static_cast<size_t>(clients), kQuietUs);
    std::vector<uint32_t> via(static_cast<size_t>(clients), 0);
    const int64_t operations = DrawSized(random_, shape_.operations, size);
    for (int64_t i = 0; i < operations; ++i) {
      // The first see to it that there are as many clients and keys as there must be.
      const int64_t any = random_.Between(0, clients - 1);
      const auto client = static_cast<size_t>(i < shape_.clients.least ? i : any);
      const int64_t any_key = random_.Between(0, keys - 1);
      const auto key = static_cast<size_t>(i < shape_.keys.least ? i : any_key);
      next_us[client] += norn::sim::Draw(random_, shape_.pause_us);
      if (via[client] == 0 || random_.Chance(1, 4)) {
        via[client] = static_cast<uint32_t>(random_.Between(1, written_.node_size()));
      }
      v1::CaseOperation& operation = *written_.add_operation();
      operation.set_id(static_cast<uint64_t>(i + 1));
      operation.set_at_us(next_us[client]);
      operation.set_client(static_cast<uint32_t>(client + 1));
      operation.set_via(via[client]);
      operation.set_key(names[key]);
      Fill(&operation);
    }
    std::stable_sort(written_.mutable_operation()->begin(), written_.mutable_operation()->end(),
                     [](const auto& a, const auto& b) { return a.at_us() < b.at_us(); });
  }

 private:
  void Fill(v1::CaseOperation* operation) {
    const v1::CaseBucket& bucket = written_.bucket();
    const uint64_t die = random_.Below(uint64_t{shape_.gets} + shape_.puts + shape_.deletes);
    const bool get = die < shape_.gets;
    const bool put = !get && die < uint64_t{shape_.gets} + shape_.puts;
    operation->set_kind(get   ? v1::ScenarioOperation::GET
                        : put ? v1::ScenarioOperation::PUT
                              : v1::ScenarioOperation::DELETE);
    if (random_.Below(1000) < shape_.own_quorum_per_mille) {
      operation->set_quorum(
          static_cast<uint32_t>(random_.Between(get ? bucket.r() : bucket.w(), bucket.n())));
    }
    if (get) return;
    const uint64_t base = random_.Below(1000);
    if (base < shape_.with_context_per_mille) {
      operation->set_base(v1::CaseOperation::READ);
    } else if (put && base < uint64_t{shape_.with_context_per_mille} + shape_.beside_per_mille) {
      operation->set_base(v1::CaseOperation::NOTHING);
    }
    if (!put) return;
    operation->set_value(absl::StrCat("v", operation->id()));
    const int64_t pad = norn::sim::Draw(random_, shape_.pad_bytes);
    if (pad > 0) operation->set_pad_bytes(static_cast<uint64_t>(pad));
    if (expiring_ && random_.Below(1000) < shape_.expiring_per_mille) {
      operation->set_ttl_us(random_.Between(20'000, 2'000'000));
    }
  }

  Random& random_;
  const WorkloadShape& shape_;
  v1::Case& written_;
  bool expiring_ = true;
};

// The end of the last operation, and of the last fault.
int64_t LastUs(const v1::Case& written) {
  int64_t last_us = kQuietUs;
  for (const auto& each : written.operation()) last_us = std::max(last_us, each.at_us() + kAfterUs);
  for (const auto& each : written.fault()) last_us = std::max(last_us, each.end_us());
  return last_us;
}

void AddFaults(Random& random, const FaultShape& shape, int size, bool clocks, v1::Case* written) {
  const int64_t last_us = std::max(LastUs(*written), kQuietUs + kShortestUs);
  const int64_t count = DrawSized(random, shape.count, size);
  for (int64_t i = 0; i < count; ++i) {
    DrawFault(random, shape, {kQuietUs, last_us, clocks}, static_cast<uint64_t>(i + 1), written);
  }
  std::stable_sort(written->mutable_fault()->begin(), written->mutable_fault()->end(),
                   [](const auto& a, const auto& b) { return a.start_us() < b.start_us(); });
  SetUpIllDisks(written);
}

}  // namespace

v1::Case DrawCase(Random& random, const CaseShape& shape, int size) {
  v1::Case written;
  written.set_format(kCaseFormat);
  written.set_seed(random.Next64() >> 32);
  DrawTopology(random, shape.topology, &written);
  DrawSettings(random, shape, &written);
  WorkloadDraw(random, shape.workload, &written).Draw(size);
  AddFaults(random, shape.faults, size, /*clocks=*/true, &written);
  if (AnyOfClocks(written)) {
    for (v1::CaseOperation& operation : *written.mutable_operation()) operation.clear_ttl_us();
  }
  written.set_until_us(LastUs(written));
  return written;
}

v1::Case DrawFaults(Random& random, const v1::Case& base, const FaultShape& shape, int size) {
  v1::Case written = base;
  written.clear_fault();
  written.clear_outcome();
  const bool expiring = std::any_of(base.operation().begin(), base.operation().end(),
                                    [](const auto& each) { return each.ttl_us() > 0; });
  AddFaults(random, shape, size, !expiring, &written);
  written.set_until_us(std::max(base.until_us(), LastUs(written)));
  return written;
}

v1::Case DrawWorkload(Random& random, const v1::Case& base, const WorkloadShape& shape, int size) {
  v1::Case written = base;
  written.clear_operation();
  written.clear_outcome();
  WorkloadDraw(random, shape, &written).Draw(size);
  written.set_until_us(std::max(base.until_us(), LastUs(written)));
  return written;
}

void SetUpIllDisks(v1::Case* written) {
  v1::Case kept = *written;
  kept.clear_knob();
  for (const v1::CaseKnob& knob : written->knob()) {
    const bool ours =
        std::any_of(std::begin(kOfIllDisks), std::end(kOfIllDisks),
                    [&knob](const Setting& each) { return knob.name() == each.name; });
    if (!knob.has_only_node() || !ours) *kept.add_knob() = knob;
  }
  std::set<uint32_t> ill;
  for (const v1::CaseFault& fault : written->fault()) {
    if (OfDisk(static_cast<FaultKind>(fault.kind()))) ill.insert(fault.nodes(0));
  }
  for (const uint32_t node : ill) {
    for (const Setting& setting : kOfIllDisks) {
      v1::CaseKnob& knob = *kept.add_knob();
      knob.set_name(setting.name);
      knob.set_value(setting.value);
      knob.set_only_node(node);
    }
  }
  *written = std::move(kept);
}

}  // namespace norn::sim
