#include "sim/consistency/zones.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/check.h"

namespace norn::consistency {
namespace {

constexpr int32_t kNone = -1;
constexpr int64_t kBefore = 0;  // positions begin at 1

// The header's f and s, and the operations that they are of (kNone: the initial write).
struct Cluster {
  int64_t first_end = kNever;
  int64_t last_call = kBefore;
  int32_t first_ending = kNone;
  int32_t last_called = kNone;
  int32_t write = kNone;
  int32_t early_read = kNone;  // a read that ended first of all reads
  int64_t early_end = kNever;

  bool forward() const { return first_end < last_call; }
  void Add(int32_t index, const Operation& operation) {
    if (operation.end < first_end) {
      first_end = operation.end;
      first_ending = index;
    }
    if (operation.call > last_call) {
      last_call = operation.call;
      last_called = index;
    }
  }
};

class Zones {
 public:
  explicit Zones(const KeyHistory& history)
      : history_(history), operations_(history.operations), clusters_(history.values.size()) {}

  std::optional<Finding> Check() {
    AddReads();
    if (!AddWrites()) return std::nullopt;
    if (auto finding = CheckReadsHaveWrites()) return finding;
    for (const Cluster& cluster : clusters_) {
      if (cluster.early_read != kNone && cluster.forward()) forward_.push_back(&cluster);
    }
    std::sort(forward_.begin(), forward_.end(),
              [](const Cluster* a, const Cluster* b) { return a->first_end < b->first_end; });
    for (size_t i = 1; i < forward_.size(); ++i) {
      // The zones so far are disjoint, so that the last one reaches farthest.
      if (forward_[i]->first_end < forward_[i - 1]->last_call) {
        return Overlap(*forward_[i - 1], *forward_[i]);
      }
    }
    for (const Cluster& cluster : clusters_) {
      if (cluster.early_read == kNone || cluster.forward()) continue;
      if (auto finding = CheckBackward(cluster)) return finding;
    }
    return CheckUnreadWrites();
  }

 private:
  const Operation& At(int32_t index) const { return operations_[static_cast<size_t>(index)]; }
  Cluster& ClusterOf(const Operation& operation) {
    return clusters_[static_cast<size_t>(operation.value)];
  }
  const std::string& ValueOf(int32_t index) const {
    return history_.values[static_cast<size_t>(At(index).value)];
  }

  void AddReads() {
    clusters_[kInitialValue].first_end = kBefore;
    for (size_t i = 0; i < operations_.size(); ++i) {
      const Operation& operation = operations_[i];
      CORE_CHECK(operation.kind != Kind::kCas);
      if (!operation.is_read() || !operation.ok()) continue;
      Cluster& cluster = ClusterOf(operation);
      const auto index = static_cast<int32_t>(i);
      cluster.Add(index, operation);
      if (operation.end < cluster.early_end) {
        cluster.early_end = operation.end;
        cluster.early_read = index;
      }
    }
  }

  // False: a value that was read has two writes. The writes of others' values are kept apart:
  // each is a cluster alone, however often its value was written.
  bool AddWrites() {
    for (size_t i = 0; i < operations_.size(); ++i) {
      const Operation& operation = operations_[i];
      if (operation.is_read() || operation.outcome == Outcome::kFailed) continue;
      Cluster& cluster = ClusterOf(operation);
      if (cluster.early_read == kNone) continue;
      if (cluster.write != kNone || operation.value == kInitialValue) return false;
      cluster.write = static_cast<int32_t>(i);
      cluster.Add(cluster.write, operation);
    }
    return true;
  }

  std::optional<Finding> CheckReadsHaveWrites() const {
    for (const Cluster& cluster : clusters_) {
      if (cluster.early_read == kNone || &cluster == &clusters_[kInitialValue]) continue;
      if (cluster.write == kNone) return NeverWritten(cluster.early_read);
      if (At(cluster.early_read).end < At(cluster.write).call) {
        return Violated(
            absl::StrCat("the value ", ValueOf(cluster.write), " was read before its write began"),
            {cluster.early_read, cluster.write});
      }
    }
    return std::nullopt;
  }

  Finding NeverWritten(int32_t read) const {
    for (size_t i = 0; i < operations_.size(); ++i) {
      const Operation& write = operations_[i];
      if (write.is_read() || write.value != At(read).value) continue;
      return Violated(absl::StrCat("the value ", ValueOf(read),
                                   " was read, although its write failed, so had no effect"),
                      {static_cast<int32_t>(i), read});
    }
    return Violated(absl::StrCat("the value ", ValueOf(read), " was read and never written"),
                    {read});
  }

  std::string Held(const Cluster& forward) const {
    return absl::StrCat("the register held ", ValueOf(forward.last_called), " from ",
                        forward.first_ending == kNone
                            ? "the beginning"
                            : absl::StrCat("the end of line ", At(forward.first_ending).end_line),
                        " to the call at line ", At(forward.last_called).call_line);
  }

  Finding Overlap(const Cluster& a, const Cluster& b) const {
    return Violated(absl::StrCat(Held(a), ", and ", Held(b), ": each value was written once"),
                    {a.first_ending, a.last_called, b.first_ending, b.last_called});
  }

  // The forward zone that contains [from, to], or none.
  const Cluster* Containing(int64_t from, int64_t to) const {
    const auto after = std::upper_bound(
        forward_.begin(), forward_.end(), from,
        [](int64_t position, const Cluster* zone) { return position < zone->first_end; });
    if (after == forward_.begin()) return nullptr;
    const Cluster* zone = *(after - 1);
    return to < zone->last_call ? zone : nullptr;
  }

  std::optional<Finding> CheckBackward(const Cluster& cluster) const {
    const Cluster* zone = Containing(cluster.last_call, cluster.first_end);
    if (zone == nullptr) return std::nullopt;
    const int32_t late = cluster.last_called, early = cluster.first_ending;
    const std::string value = ValueOf(late);
    // One operation that lies within the zone as a whole says enough.
    for (const int32_t alone : {late, early}) {
      if (At(alone).call <= zone->first_end || At(alone).end >= zone->last_call) continue;
      return Violated(absl::StrCat(Held(*zone), ", and meanwhile ", value),
                      {zone->first_ending, zone->last_called, alone});
    }
    return Violated(absl::StrCat(Held(*zone), ", and ", value,
                                 " both before and after, or meanwhile: each was written once"),
                    {zone->first_ending, zone->last_called, late, early});
  }

  // Writes that nobody read, so that their zones are backward.
  std::optional<Finding> CheckUnreadWrites() const {
    for (size_t i = 0; i < operations_.size(); ++i) {
      const Operation& write = operations_[i];
      if (write.is_read() || !write.ok()) continue;
      if (clusters_[static_cast<size_t>(write.value)].early_read != kNone) continue;
      const Cluster* zone = Containing(write.call, write.end);
      if (zone == nullptr) continue;
      const auto index = static_cast<int32_t>(i);
      return Violated(absl::StrCat(Held(*zone), ", and meanwhile ", ValueOf(index)),
                      {zone->first_ending, zone->last_called, index});
    }
    return Finding{};
  }

  Finding Violated(std::string why, std::vector<int32_t> witness) const {
    Finding finding;
    finding.verdict = Verdict::kViolated;
    finding.why = std::move(why);
    std::sort(witness.begin(), witness.end());
    witness.erase(std::unique(witness.begin(), witness.end()), witness.end());
    for (const int32_t index : witness) {
      if (index != kNone) finding.witness.push_back(static_cast<size_t>(index));
    }
    return finding;
  }

  const KeyHistory& history_;
  const std::vector<Operation>& operations_;
  std::vector<Cluster> clusters_;        // by value
  std::vector<const Cluster*> forward_;  // by first_end
};

}  // namespace

std::optional<Finding> CheckZones(const KeyHistory& history) { return Zones(history).Check(); }

}  // namespace norn::consistency
