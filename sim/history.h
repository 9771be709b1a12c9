// What clients did and saw: the only thing, besides the minted dots, that checkers judge.

#ifndef NORN_SIM_HISTORY_H_
#define NORN_SIM_HISTORY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/causality/version_vector.h"
#include "core/client.h"
#include "core/types.h"
#include "sim/wall_time.h"

namespace norn::sim {

// The universe has two buckets: keys "k..." keep siblings, keys "l..." the last writer's value.
inline constexpr BucketId kLwwBucket = 1;
inline BucketId BucketOfKey(absl::string_view key) {
  return !key.empty() && key.front() == 'l' ? kLwwBucket : BucketId{0};
}

struct Operation {
  uint64_t id = 0;
  int client = 0;
  NodeId node = kNoNode;  // who coordinated
  ClientRequest::Kind kind = ClientRequest::Kind::kGet;
  ClientRequest::Base base = ClientRequest::Base::kCurrent;
  std::string key;
  std::string value;  // of a put; unique in the run
  int quorum = 0;     // R of a get, W of a put or delete: the request's own, or the bucket's; of
                      // a level that has a name the least that it may come to
  Level level = Level::kNumber;
  int64_t due_us = 0;  // when its client wanted to ask; it may have had to wait
  int64_t invoked_us = 0;
  int64_t completed_us = kNever;  // kNever: never answered
  ClientReply::Outcome outcome = ClientReply::Outcome::kUnknown;
  std::vector<std::string> read;  // a get that is kOk: all siblings
  VersionVector context;          // of what the answer's token covers
  VersionVector replaces;         // a write with Base::kToken: what its token covers

  bool ok() const { return completed_us != kNever && outcome == ClientReply::Outcome::kOk; }
};

// So many of N replicas take part at least, wherever they are.
inline int LeastCount(Level level, int n) {
  if (level == Level::kAll) return n;
  return level == Level::kQuorum || level == Level::kEachQuorum ? n / 2 + 1 : 1;
}

// A version that came into being somewhere.
struct MintedVersion {
  Dot dot;
  NodeId node = kNoNode;
  std::string key;
  std::string value;
  bool tombstone = false;
  int64_t minted_us = 0;
  bool succeeded = false;   // its mint was seen to succeed
  bool refused = false;     // its mint was seen to change nothing: it never was
  bool base_known = false;  // always for a put that named its base; else if it succeeded
  VersionVector base;       // what it was put in place of
  int64_t wall_us = 0;      // its timestamp, if its mint was seen to succeed; 0: not known
  int64_t expires_us = 0;   // wall time; 0: never
};

// A record that was removed for good (sim/burials.h).
struct Burial {
  std::string key;
  int64_t at_us = 0;      // when the first replica was about to
  VersionVector context;  // all that it had seen
  std::vector<Dot> versions;
};

// In order of invocation; a completion is filled in where it belongs.
struct History {
  std::vector<Operation> operations;
  std::vector<MintedVersion> minted;
  std::vector<Burial> burials;
};

// "client 3: put k7 = v812 via n2 at 4120 ms": for traces.
std::string DescribeInvocation(const Operation& operation);
// The same, then ", ok at 4131 ms" and what was read: for witnesses.
std::string Describe(const Operation& operation);
// "put ok", "get never answered": for counting.
std::string DescribeOutcome(const Operation& operation);

}  // namespace norn::sim

#endif  // NORN_SIM_HISTORY_H_
