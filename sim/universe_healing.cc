#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/check.h"
#include "sim/universe_impl.h"
#include "storage/record_storage.h"

namespace norn::sim {

namespace {

constexpr int kLastReadTries = 5;  // of each key: a node may be busy, or still waking up

}  // namespace

void Universe::Heal() {
  const int64_t began_us = scheduler_.now_us();
  config_.rare = RareShares{};
  if (rules_ != nullptr) rules_->EndAll();
  faults_->EndAll();
  std::optional<Violation> apart;
  do {
    scheduler_.RunUntil(scheduler_.now_us() + kHealPollUs);
    apart = FindApart();
  } while ((apart.has_value() || !workload_->idle()) &&
           scheduler_.now_us() < began_us + result_.heal_bound_us);
  result_.healed_after_us = scheduler_.now_us() - began_us;
  if (trace_.listened()) {
    RunEvent event;
    event.kind = RunEvent::Kind::kHealed;
    event.time_us = scheduler_.now_us();
    trace_.Tell(event);
  }
  if (result_.verdict == Verdict::kViolated) return;
  if (auto stuck = ReadEverything()) {
    result_.verdict = Verdict::kNoProgress;
    result_.property = *std::move(stuck);
    return;
  }
  if (judged(Claim::kConvergence) && Violated(std::move(apart))) return;
  Judge();
}

std::optional<Violation> Universe::FindApart() {
  const FinalState state = ReadState();
  if (!unmended_.empty()) {
    return Violation{"what a disk has lost is mended from the other replicas", unmended_};
  }
  if (auto left = CheckHintsDrained(hints_left_)) return left;
  // Else stand-ins answer in the place of a replica that is there.
  if (config_.bucket().sloppy) {
    if (auto suspected = FindSuspected()) return suspected;
  }
  std::map<std::string, std::vector<NodeId>> replicas;
  for (const auto& [key, copies] : state) {
    const auto span = layout_->Replicas(layout_->PartitionOf(key));
    replicas[key].assign(span.begin(), span.end());
  }
  return CheckConverged(state, replicas);
}

std::optional<Violation> Universe::FindSuspected() const {
  for (const auto& sim_node : nodes_) {
    if (!sim_node->up()) continue;
    for (const MemberStatus& member : sim_node->node()->Status().members) {
      if (member.liveness == Liveness::kAlive) continue;
      return Violation{"after healing the nodes know that all are there",
                       absl::StrCat("n", sim_node->id(), " takes n", member.id, " for ",
                                    LivenessName(member.liveness))};
    }
  }
  return std::nullopt;
}

std::optional<std::string> Universe::ReadEverything() {
  const std::vector<std::string> keys = workload_->Keys();
  // A write that was never answered may land late: then once more.
  for (int round = 0; round < 3; ++round) {
    state_ = ReadState();
    last_reads_ = workload_->history().operations.size();
    size_t turn = 0;
    for (const std::string& key : keys) {
      if (!ReadOnce(key, turn++)) return absl::StrCat("after healing every key can be read: ", key);
    }
    if (WithoutDead(ReadState()) == WithoutDead(state_) && !CheckHintsDrained(hints_left_))
      return std::nullopt;
  }
  const std::optional<Violation> left = CheckHintsDrained(hints_left_);
  return absl::StrCat("after healing the replicas come to rest",
                      left.has_value() ? absl::StrCat(": ", left->witness) : std::string());
}

bool Universe::ReadOnce(const std::string& key, size_t turn) {
  bool ok = false;
  for (int i = 0; i < kLastReadTries && !ok; ++i) {
    ClientRequest request;
    request.key = key;
    const auto via = static_cast<NodeId>((turn + static_cast<size_t>(i)) % nodes_.size() + 1);
    workload_->Ask(0, via, std::move(request), [&ok](const ClientReply* reply) {
      ok = reply != nullptr && reply->outcome == ClientReply::Outcome::kOk;
    });
    CORE_CHECK(scheduler_.RunUntilDone(kNever, [this] { return workload_->idle(); }));
  }
  return ok;
}

FinalState Universe::ReadState() {
  FinalState state;
  unmended_.clear();
  hints_left_.clear();
  for (const std::string& key : keys_seen_) state[key];
  for (const auto& node : nodes_) {
    if (!node->up()) continue;
    std::string from;
    do {
      std::vector<storage::Engine::Entry> entries;
      std::string next;
      const absl::Status status = node->engine()->Scan(from, "", 1000, 4 << 20, &entries, &next);
      if (absl::IsDataLoss(status) && MayHaveLost(node->id())) {
        unmended_ = absl::StrCat("n", node->id(), ": ", absl::string_view(status.message()));
      } else if (!status.ok()) {
        Violated(
            Violation{"a disk that was never damaged can be read",
                      absl::StrCat("n", node->id(), ": ", absl::string_view(status.message()))});
        break;
      }
      for (storage::Engine::Entry& entry : entries) {
        const std::string record_key = entry.key.substr(storage::kEngineKeyPrefixBytes);
        if (storage::PartitionIn(entry.key) == kHintSpace) {
          hints_left_[node->id()].push_back(record_key);
        } else {
          state[record_key][node->id()] = std::move(entry.value);
        }
      }
      from = std::move(next);
    } while (!from.empty());
  }
  // A key whose mint never became durable anywhere is nowhere, which is agreement.
  for (auto it = state.begin(); it != state.end();) {
    it = it->second.empty() ? state.erase(it) : std::next(it);
  }
  return state;
}

}  // namespace norn::sim
