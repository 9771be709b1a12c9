// What R + W > N buys: reads cover completed writes, and reads are monotonic.
//
// Both walk the run once in the order of time, keeping per key what must be covered by a
// read that begins now. O(operations * puts of a key that are still shown): what one read has seen
// and found replaced, every read that has seen as much has as well. A read that has seen less is
// compared with all completed puts of its key.

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

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

bool Shows(const Operation& read, const Operation& put) {
  return std::find(read.read.begin(), read.read.end(), put.value) != read.read.end();
}

// Whether it has seen the put, and need not show it any more. If so, every later read is right not
// to show it that has seen as much.
bool HasLeftBehind(const Operation& read, const Operation& put, const MintedIndex& index) {
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

// Of one key.
struct Puts {
  std::vector<const Operation*> completed;
  std::vector<size_t> open;   // of those, whom no read has left behind; ascending
  VersionVector left_behind;  // who has seen this has left all others behind
};

// `meet` says of a read and a put whether some replica must have taken part in both.
template <typename Meet>
std::optional<Violation> CheckCovered(const History& history, const char* property,
                                      const Meet& meet) {
  const MintedIndex index(history);
  std::map<std::string, Puts> by_key;
  std::map<uint64_t, size_t> due;  // read -> how many of its key's puts it must cover
  for (const Moment& moment : Timeline(history)) {
    const Operation& operation = *moment.operation;
    if (operation.kind == ClientRequest::Kind::kDelete) continue;
    Puts& puts = by_key[operation.key];
    if (operation.kind == ClientRequest::Kind::kPut) {
      if (!moment.is_end) continue;
      puts.open.push_back(puts.completed.size());
      puts.completed.push_back(&operation);
      continue;
    }
    if (!moment.is_end) {
      due[operation.id] = puts.completed.size();
      continue;
    }
    // 0: uncovered, 1: shown, 2: left behind.
    const auto look = [&](const Operation& put) {
      if (!meet(operation, put) || Shows(operation, put)) return 1;
      return HasLeftBehind(operation, put, index) ? 2 : 0;
    };
    const auto uncovered = [&](const Operation& put) {
      return Violation{property, absl::StrCat(Describe(put), "\n", Describe(operation))};
    };
    const size_t count = due[operation.id];
    if (!operation.context.CoversAll(puts.left_behind)) {
      for (size_t i = 0; i < count; ++i) {
        if (look(*puts.completed[i]) == 0) return uncovered(*puts.completed[i]);
      }
      continue;
    }
    std::vector<size_t> open;
    bool any = false;
    for (const size_t i : puts.open) {
      const int found = i < count ? look(*puts.completed[i]) : 1;
      if (found == 0) return uncovered(*puts.completed[i]);
      any |= found == 2;
      if (found != 2) open.push_back(i);
    }
    if (!any) continue;
    puts.open = std::move(open);
    puts.left_behind = operation.context;
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
