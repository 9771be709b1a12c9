// For the tests of the checkers: histories written down, and what they are held against.

#ifndef NORN_SIM_CHECKERS_CHECKER_FIXTURE_H_
#define NORN_SIM_CHECKERS_CHECKER_FIXTURE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/causality/record.h"
#include "gtest/gtest.h"
#include "sim/checkers/checkers.h"
#include "sim/history.h"

namespace norn::sim {

using Kind = ClientRequest::Kind;
using Outcome = ClientReply::Outcome;

inline constexpr NodeId kMinter = 1;
inline constexpr int kReplicas = 3;
inline constexpr int kQuorum = 2;  // R of every get, W of every put and delete

inline Dot MakeDot(uint64_t counter, NodeId node = kMinter) {
  return Dot{MakeIncarnation(node, 7), counter};
}

inline VersionVector Seen(const std::vector<Dot>& dots) {
  VersionVector context;
  for (const Dot& dot : dots) context.Add(dot);
  return context;
}

// Writes a history down, operation by operation.
class Story {
 public:
  Story& Put(const std::string& value, int64_t begin_us, int64_t end_us,
             Outcome outcome = Outcome::kOk, const std::string& key = "k") {
    Operation& operation = Add(Kind::kPut, key, begin_us, end_us, outcome);
    operation.value = value;
    return *this;
  }

  // With a token that covers `replaces`.
  Story& PutRead(const std::string& value, const VersionVector& replaces, int64_t begin_us,
                 int64_t end_us) {
    Operation& operation = Add(Kind::kPut, "k", begin_us, end_us, Outcome::kOk);
    operation.value = value;
    operation.base = ClientRequest::Base::kToken;
    operation.replaces = replaces;
    return *this;
  }

  // The answer to the last operation carried a token that covers `context`.
  Story& TokenOfLast(const VersionVector& context) {
    history_.operations.back().context = context;
    return *this;
  }

  Story& Delete(int64_t begin_us, int64_t end_us, Outcome outcome = Outcome::kOk) {
    Add(Kind::kDelete, "k", begin_us, end_us, outcome);
    return *this;
  }

  // With a token that covers `replaces`.
  Story& DeleteRead(const VersionVector& replaces, int64_t begin_us, int64_t end_us,
                    Outcome outcome = Outcome::kOk) {
    Operation& operation = Add(Kind::kDelete, "k", begin_us, end_us, outcome);
    operation.base = ClientRequest::Base::kToken;
    operation.replaces = replaces;
    return *this;
  }

  Story& Get(const std::vector<std::string>& values, const VersionVector& context, int64_t begin_us,
             int64_t end_us, const std::string& key = "k") {
    Operation& operation = Add(Kind::kGet, key, begin_us, end_us, Outcome::kOk);
    operation.read = values;
    operation.context = context;
    return *this;
  }

  Story& FailedGet(int64_t begin_us, int64_t end_us) {
    Add(Kind::kGet, "k", begin_us, end_us, Outcome::kUnavailable);
    return *this;
  }

  // `base`: what the version was put in place of.
  Story& Mint(const std::string& value, const Dot& dot, const VersionVector& base = {},
              int64_t at_us = 0) {
    MintedVersion version;
    version.dot = dot;
    version.node = NodeOf(dot.incarnation);
    version.key = "k";
    version.value = value;
    version.minted_us = at_us;
    version.succeeded = true;
    version.base_known = true;
    version.base = base;
    history_.minted.push_back(std::move(version));
    return *this;
  }

  // With a timestamp, under another key.
  Story& MintDated(const std::string& value, const Dot& dot, int64_t wall_us,
                   const std::string& key) {
    Mint(value, dot);
    history_.minted.back().wall_us = wall_us;
    history_.minted.back().key = key;
    return *this;
  }

  // The version that was minted last expires at that wall time.
  Story& Expires(int64_t wall_us) {
    history_.minted.back().expires_us = wall_us;
    return *this;
  }

  Story& MintTombstone(const Dot& dot, const VersionVector& base, int64_t at_us) {
    Mint("", dot, base, at_us);
    history_.minted.back().tombstone = true;
    return *this;
  }

  // Its node died before it was known what became of it.
  Story& MintUnknown(const std::string& value, const Dot& dot) {
    Mint(value, dot);
    history_.minted.back().succeeded = false;
    history_.minted.back().base_known = false;
    return *this;
  }

  // Its store changed nothing.
  Story& MintRefused(const std::string& value, const Dot& dot) {
    MintUnknown(value, dot);
    history_.minted.back().refused = true;
    return *this;
  }

  const History& history() const { return history_; }
  size_t size() const { return history_.operations.size(); }

 private:
  Operation& Add(Kind kind, const std::string& key, int64_t begin_us, int64_t end_us,
                 Outcome outcome) {
    Operation operation;
    operation.id = history_.operations.size() + 1;
    operation.client = 1;
    operation.node = kMinter;
    operation.kind = kind;
    operation.key = key;
    operation.invoked_us = begin_us;
    operation.completed_us = end_us;
    operation.quorum = kQuorum;
    operation.outcome = outcome;
    history_.operations.push_back(std::move(operation));
    return history_.operations.back();
  }

  History history_;
};

// A record with these versions alive, side by side.
inline std::string RecordBytes(const std::vector<std::pair<Dot, std::string>>& alive) {
  Record record;
  for (const auto& [dot, value] : alive) {
    Version version;
    version.dot = dot;
    version.value = value;
    record.Put(std::move(version), VersionVector());
  }
  return record.Encode();
}

inline FinalState StateOf(const std::string& bytes) {
  FinalState state;
  std::map<NodeId, std::string>& copies = state[MakeRecordKey(0, "k")];
  for (const NodeId node : {NodeId{1}, NodeId{2}, NodeId{3}}) copies[node] = bytes;
  return state;
}

inline testing::AssertionResult Holds(const std::optional<Violation>& violation) {
  if (!violation.has_value()) return testing::AssertionSuccess();
  return testing::AssertionFailure() << violation->property << "\n" << violation->witness;
}

// Violated, with a property in words and a witness that names `mention`.
inline testing::AssertionResult Breaks(const std::optional<Violation>& violation,
                                       const std::string& mention) {
  if (!violation.has_value()) return testing::AssertionFailure() << "nothing was found";
  if (violation->property.empty()) return testing::AssertionFailure() << "no property is named";
  if (violation->witness.find(mention) == std::string::npos) {
    return testing::AssertionFailure() << "no \"" << mention << "\" in: " << violation->witness;
  }
  return testing::AssertionSuccess();
}

}  // namespace norn::sim

#endif  // NORN_SIM_CHECKERS_CHECKER_FIXTURE_H_
