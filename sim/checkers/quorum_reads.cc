// What R + W > N buys: reads cover completed writes, and reads are monotonic.
//
// Both walk the run once in the order of time, keeping per key what must be covered by a
// read that begins now. O(operations * completed writes of a key).

#include <algorithm>
#include <map>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "sim/checkers/checkers.h"
#include "sim/checkers/minted_index.h"

namespace norn::sim {

namespace {

// A moment of an operation. Ends come before beginnings of the same microsecond are judged
// against them only if they were strictly earlier.
struct Moment {
  int64_t time_us;
  bool is_end;
  const Operation* operation;
};

std::vector<Moment> Timeline(const History& history) {
  std::vector<Moment> moments;
  for (const Operation& operation : history.operations) {
    moments.push_back({operation.invoked_us, false, &operation});
    if (operation.ok()) moments.push_back({operation.completed_us, true, &operation});
  }
  // At one instant beginnings come first: "completed before" must be strict.
  std::stable_sort(moments.begin(), moments.end(), [](const Moment& a, const Moment& b) {
    return std::tie(a.time_us, a.is_end) < std::tie(b.time_us, b.is_end);
  });
  return moments;
}

bool Covers(const Operation& read, const Operation& put, const MintedIndex& index) {
  if (std::find(read.read.begin(), read.read.end(), put.value) != read.read.end()) return true;
  for (const MintedVersion* version : index.OfValue(put.value)) {
    if (!read.context.Covers(version->dot)) continue;
    if (BucketOfKey(put.key) == kLwwBucket) return true;  // seen, and it may have lost
    const bool may_have_expired =
        version->expires_us != 0 && version->expires_us <= WallOf(read.completed_us);
    if (may_have_expired) return true;
    if (index.Replaced(*version, read.context)) return true;
  }
  return false;
}

// `meet` says of a read and a put whether some replica must have taken part in both.
template <typename Meet>
std::optional<Violation> CheckCovered(const History& history, const char* property,
                                      const Meet& meet) {
  const MintedIndex index(history);
  std::map<std::string, std::vector<const Operation*>> completed;  // puts, by key
  std::map<uint64_t, size_t> due;  // read -> how many of its key's puts it must cover
  for (const Moment& moment : Timeline(history)) {
    const Operation& operation = *moment.operation;
    if (operation.kind == ClientRequest::Kind::kDelete) continue;
    std::vector<const Operation*>& puts = completed[operation.key];
    if (operation.kind == ClientRequest::Kind::kPut) {
      if (moment.is_end) puts.push_back(&operation);
      continue;
    }
    if (!moment.is_end) {
      due[operation.id] = puts.size();
      continue;
    }
    for (size_t i = 0; i < due[operation.id]; ++i) {
      if (!meet(operation, *puts[i]) || Covers(operation, *puts[i], index)) continue;
      return Violation{property, absl::StrCat(Describe(*puts[i]), "\n", Describe(operation))};
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<Violation> CheckReadsCoverWrites(const History& history, int n) {
  return CheckCovered(
      history, "a read covers every write completed before it began",
      [n](const Operation& read, const Operation& put) { return read.quorum + put.quorum > n; });
}

std::optional<Violation> CheckLocalQuorums(const History& history,
                                           const std::map<NodeId, std::string>& data_centers) {
  return CheckCovered(
      history, "a local_quorum read covers every write completed before it in its data center",
      [&data_centers](const Operation& read, const Operation& put) {
        const bool read_each = read.level == Level::kEachQuorum;
        const bool put_each = put.level == Level::kEachQuorum;
        const bool read_local = read.level == Level::kLocalQuorum;
        const bool put_local = put.level == Level::kLocalQuorum;
        if (read_each || put_each) return (read_each || read_local) && (put_each || put_local);
        return read_local && put_local && data_centers.at(read.node) == data_centers.at(put.node);
      });
}

std::optional<Violation> CheckMonotonicReads(const History& history) {
  struct Seen {
    VersionVector context;
    const Operation* last = nullptr;
  };
  std::map<std::string, Seen> seen;  // joined over the completed reads of a key
  std::map<uint64_t, Seen> before;   // the same, when a read began
  for (const Moment& moment : Timeline(history)) {
    const Operation& operation = *moment.operation;
    if (operation.kind != ClientRequest::Kind::kGet) continue;
    Seen& known = seen[operation.key];
    if (!moment.is_end) {
      before[operation.id] = known;
      continue;
    }
    const Seen& due = before[operation.id];
    if (!operation.context.CoversAll(due.context)) {
      return Violation{"quorum reads are monotonic",
                       absl::StrCat(due.last == nullptr ? "" : Describe(*due.last), "\n",
                                    Describe(operation), " has seen less")};
    }
    known.context.Join(operation.context);
    known.last = &operation;
  }
  return std::nullopt;
}

}  // namespace norn::sim
