// What clients ask, and what they are told: the node's front door, whatever the
// protocol in front of it (RESP, the simulator's workload, a forwarding peer).

#ifndef NORN_CORE_CLIENT_H_
#define NORN_CORE_CLIENT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/types.h"

namespace norn {

// How many replicas must take part in a request: a number, or by name.
enum class Level : uint8_t {
  kNumber = 0,       // `quorum`, or the bucket's own R or W if that is 0
  kOne = 1,          // 1
  kQuorum = 2,       // more than half of N
  kAll = 3,          // N
  kLocalQuorum = 4,  // more than half of those in the coordinator's data center
  kEachQuorum = 5,   // more than half of those in each data center
};

// "one", "quorum", "all", "local_quorum", "each_quorum"; kNumber is "number".
const char* LevelName(Level level);

// A time to live that says "never", whatever the bucket's default.
inline constexpr int64_t kTtlNever = -1;

struct ClientRequest {
  enum class Kind : uint8_t { kGet = 0, kPut = 1, kDelete = 2 };

  // What a put or delete replaces.
  enum class Base : uint8_t {
    kCurrent = 0,  // whatever the minting replica holds then (plain SET and DEL)
    kToken = 1,    // what `context` covers, and nothing else; the rest stays as siblings
    kNothing = 2,  // nothing: a sibling of all that is there
  };

  uint64_t client = 0;  // the port's ticket: repeated in the reply
  Kind kind = Kind::kGet;
  Base base = Base::kCurrent;
  BucketId bucket = 0;
  std::string key;
  std::string value;    // kPut
  std::string context;  // Base::kToken: as a reply gave it
  int quorum = 0;       // R of a get, W of a put; 0: the bucket's own
  Level level = Level::kNumber;
  int primary = 0;             // PR, PW: so many must be owners of the key, no stand-ins. In a
                               // strict bucket all are, so this raises R or W at most
  int64_t timeout_us = 0;      // 0: the node's default
  bool context_wanted = true;  // false: the reply need not carry a token (plain SET, GET)

  // kPut: when the value expires. The first coordinator turns a time to live into a moment of
  // its own wall clock, once; from then on `expires_us` travels and `ttl_us` is ignored.
  int64_t ttl_us = 0;      // 0: the bucket's default; kTtlNever: it does not
  int64_t expires_us = 0;  // wall time; not 0: as the client, or a coordinator, decided
};

struct Sibling {
  std::string value;
  int64_t timestamp_us = 0;  // wall time at minting: for people, and to pick a winner
  int64_t ttl_us = 0;        // what is left to live by the coordinator's clock; 0: no end
};

struct ClientReply {
  enum class Outcome : uint8_t {
    kOk = 0,           // a get: `siblings` is what is there, none if nothing is
    kInvalid = 1,      // the request itself is at fault; nothing was done
    kOverloaded = 2,   // refused at once; nothing was done; try again later
    kNotApplied = 3,   // a write that certainly has not and will not take effect
    kUnknown = 4,      // a write that may or may not take effect, now or later
    kUnavailable = 5,  // a get that did not reach its quorum in time
  };

  uint64_t client = 0;
  Outcome outcome = Outcome::kUnavailable;
  std::string message;            // not kOk: what went wrong, where, and what to do
  std::vector<Sibling> siblings;  // kGet; ordered: the winner (newest timestamp, then dot) first
  // A token that covers what was read, or what was written. Empty after a write that left
  // siblings its client has not seen: a token would cover them too. Read, then write.
  std::string context;

  // What was reached. In a sloppy bucket a stand-in counts in the place of its owner.
  int replicas = 0;  // owners that acknowledged the write, or whose replies the read used
  int zones = 0;     // distinct zones that those are in
  int durable = 0;   // copies known durable of what was written, or of what the read answers
  int hints = 0;     // how many of `replicas` are stand-ins
};

const char* OutcomeName(ClientReply::Outcome outcome);

}  // namespace norn

#endif  // NORN_CORE_CLIENT_H_
