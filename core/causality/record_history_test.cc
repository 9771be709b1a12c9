// Record against a dumb model with explicit histories: every event (a put) knows the set
// of events that its writer had seen. A replica has seen a set of events, and holds those
// of them that no other event it has seen replaced. Nothing is ever compressed.

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "core/causality/record.h"
#include "gtest/gtest.h"
#include "rapidcheck/gtest.h"

namespace norn {
namespace {

constexpr int kReplicas = 4;

using History = std::set<Dot>;

class Model {
 public:
  // An event that replaces everything in `base`.
  void Put(int replica, const Dot& dot, const History& base) {
    replaced_[dot] = base;
    seen_[replica].insert(base.begin(), base.end());
    seen_[replica].insert(dot);
  }
  void Merge(int into, int from) { seen_[into].insert(seen_[from].begin(), seen_[from].end()); }

  const History& Seen(int replica) const { return seen_[replica]; }
  std::set<Dot> Alive(int replica) const {
    std::set<Dot> alive;
    for (const Dot& dot : seen_[replica]) {
      bool dead = false;
      for (const Dot& other : seen_[replica]) dead |= replaced_.at(other).count(dot) != 0;
      if (!dead) alive.insert(dot);
    }
    return alive;
  }
  const std::map<Dot, History>& events() const { return replaced_; }

 private:
  std::map<Dot, History> replaced_;
  History seen_[kReplicas];
};

struct Reading {
  VersionVector context;
  History seen;
};

void Compare(const Model& model, int replica, const Record& record) {
  std::set<Dot> alive;
  for (const Version& version : record.versions()) {
    alive.insert(version.dot);
    RC_ASSERT(version.value == ToString(version.dot));
  }
  RC_ASSERT(alive == model.Alive(replica));
  for (const auto& [dot, base] : model.events()) {
    RC_ASSERT(record.context().Covers(dot) == (model.Seen(replica).count(dot) != 0));
  }
}

// Puts by clients who read anywhere, at any time before; merges in any order; replicas
// that begin new incarnations; counters with gaps (other keys took them).
RC_GTEST_PROP(RecordHistoryProperty, AgreesWithExplicitHistories, ()) {
  Model model;
  Record records[kReplicas];
  Incarnation incarnations[kReplicas];
  uint64_t counters[kReplicas] = {};
  uint64_t drawn = 0;
  for (int i = 0; i < kReplicas; ++i) {
    incarnations[i] = MakeIncarnation(static_cast<NodeId>(i + 1), ++drawn);
  }
  std::vector<Reading> readings(1);  // the first one has seen nothing
  const auto steps = *rc::gen::container<std::vector<std::tuple<int, int, int>>>(rc::gen::tuple(
      rc::gen::inRange(0, 10), rc::gen::inRange(0, kReplicas), rc::gen::inRange(0, 1000)));
  for (const auto& [what, replica, pick] : steps) {
    if (what < 4) {  // a put, after some reading
      const Reading reading = readings[static_cast<size_t>(pick) % readings.size()];
      counters[replica] += 1 + static_cast<uint64_t>(pick) % 3;
      Version version;
      version.dot = {incarnations[replica], counters[replica]};
      version.value = ToString(version.dot);
      model.Put(replica, version.dot, reading.seen);
      records[replica].Put(version, reading.context);
    } else if (what < 7) {
      const int from = pick % kReplicas;
      model.Merge(replica, from);
      records[replica].Merge(records[from]);
    } else if (what < 9) {
      readings.push_back({records[replica].context(), model.Seen(replica)});
    } else {
      incarnations[replica] = MakeIncarnation(static_cast<NodeId>(replica + 1), ++drawn);
      counters[replica] = 0;
    }
    Compare(model, replica, records[replica]);
  }
  // Merged all round, in different orders, all hold the same bytes.
  Record forth;
  Record back;
  for (int i = 0; i < kReplicas; ++i) {
    forth.Merge(records[i]);
    back.Merge(records[kReplicas - 1 - i]);
  }
  RC_ASSERT(forth.Encode() == back.Encode());
}

}  // namespace
}  // namespace norn
