// Sessions (Terry et al., Session Guarantees for Weakly Consistent Replicated Data, 1994), in
// the store's version order, per key.
//
// A client that hands back the context of what it has read or written ties its next write to
// it: whoever sees that write sees at least that context. That gives monotonic writes and
// writes-follow-reads, whatever R, W and faults. Reads carry no context: read-your-writes and
// monotonic reads hold where quorums overlap.

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sim/checkers/checkers.h"
#include "sim/checkers/minted_index.h"

namespace norn::sim {

namespace {

using Kind = ClientRequest::Kind;

// What a read shows, it shows with all that its writer had seen.
std::optional<Violation> CheckWritesFollow(const History& history) {
  const MintedIndex index(history);
  std::map<std::string, const Operation*> tied;  // puts with a context, by value
  for (const Operation& operation : history.operations) {
    if (operation.kind == Kind::kPut && operation.base == ClientRequest::Base::kToken) {
      tied[operation.value] = &operation;
    }
  }
  for (const Operation& read : history.operations) {
    if (read.kind != Kind::kGet || !read.ok()) continue;
    for (const std::string& value : read.read) {
      const auto write = tied.find(value);
      if (write == tied.end()) continue;
      if (!read.context.CoversAll(write->second->replaces)) {
        return Violation{"writes follow what their client had read or written",
                         absl::StrCat(Describe(*write->second), "\n", Describe(read),
                                      " and has seen less than that writer had")};
      }
      for (const std::string& other : read.read) {
        for (const MintedVersion* version : index.OfValue(other)) {
          // A put that was refused and tried again may be alive under its other dot.
          if (index.OfValue(other).size() > 1) continue;
          if (!write->second->replaces.Covers(version->dot)) continue;
          return Violation{
              "writes follow what their client had read or written",
              absl::StrCat(Describe(*write->second), "\n", Describe(read),
                           "\nthough the former replaced ", other.substr(0, other.find(' ')))};
        }
      }
    }
  }
  return std::nullopt;
}

// One client's operations on one key, as they followed each other.
using Session = std::vector<const Operation*>;

std::optional<Violation> CheckReadsOf(const Session& session, int n) {
  for (size_t i = 0; i < session.size(); ++i) {
    const Operation& later = *session[i];
    if (later.kind != Kind::kGet) continue;
    for (size_t j = 0; j < i; ++j) {
      const Operation& earlier = *session[j];
      if (earlier.completed_us >= later.invoked_us) continue;
      // A write without a token of its answer left siblings its client does not know.
      const bool reads = earlier.kind == Kind::kGet;
      if (!reads && earlier.quorum + later.quorum <= n) continue;
      if (later.context.CoversAll(earlier.context)) continue;
      return Violation{
          reads ? "monotonic reads of a client" : "a client reads its own writes",
          absl::StrCat(Describe(earlier), "\n", Describe(later), " and has seen less")};
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<Violation> CheckSessions(const History& history, int n, bool overlapping) {
  if (auto broken = CheckWritesFollow(history)) return broken;
  if (!overlapping) return std::nullopt;
  std::map<std::pair<int, std::string>, Session> sessions;
  for (const Operation& operation : history.operations) {
    if (operation.ok()) sessions[{operation.client, operation.key}].push_back(&operation);
  }
  for (const auto& [who, session] : sessions) {
    if (auto broken = CheckReadsOf(session, n)) return broken;
  }
  return std::nullopt;
}

}  // namespace norn::sim
