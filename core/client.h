// What clients ask, and what they are told: the node's front door, whatever the
// protocol in front of it (RESP, the simulator's workload, a forwarding peer).

#ifndef NORN_CORE_CLIENT_H_
#define NORN_CORE_CLIENT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/types.h"

namespace norn {

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
  std::string value;           // kPut
  std::string context;         // Base::kToken: as a reply gave it
  int quorum = 0;              // R of a get, W of a put; 0: the bucket's own
  int64_t timeout_us = 0;      // 0: the node's default
  bool context_wanted = true;  // false: the reply need not carry a token (plain SET, GET)
};

struct Sibling {
  std::string value;
  int64_t timestamp_us = 0;  // wall time at minting: for people, and to pick a winner
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
  int replicas = 0;  // copies known durable (write) or replies used (read)
  int hints = 0;     // how many of `replicas` are stand-ins', in a sloppy bucket
};

const char* OutcomeName(ClientReply::Outcome outcome);

}  // namespace norn

#endif  // NORN_CORE_CLIENT_H_
