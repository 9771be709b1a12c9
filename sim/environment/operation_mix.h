// What the clients of a described run ask for: kinds, keys, values, contexts and levels by their
// shares. Plain data, and the one function that draws from it.

#ifndef NORN_SIM_ENVIRONMENT_OPERATION_MIX_H_
#define NORN_SIM_ENVIRONMENT_OPERATION_MIX_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/client.h"
#include "core/random.h"
#include "core/types.h"
#include "sim/environment/key_chooser.h"

namespace norn::sim {

// Uniform from the least to the most.
struct SizeRange {
  uint64_t weight = 1;
  uint64_t min_bytes = 0;
  uint64_t max_bytes = 0;
};

struct LevelChoice {
  uint64_t weight = 1;
  Level level = Level::kNumber;
  int quorum = 0;  // kNumber: 0 is the bucket's own
};

struct OperationMix {
  KeyChooser keys = KeyChooser::Uniform(1);
  uint64_t last_writer_per_mille = 0;  // of the keys
  uint64_t gets = 1;                   // these three are weights
  uint64_t puts = 1;
  uint64_t deletes = 0;
  std::vector<SizeRange> sizes;     // of values; not empty
  std::vector<LevelChoice> reads;   // not empty
  std::vector<LevelChoice> writes;  // not empty
  uint64_t context_per_mille = 0;   // of writes: with the context of the client's last read
  uint64_t blind_per_mille = 0;     // of writes: in place of nothing
  uint64_t expiring_per_mille = 0;  // of puts
  int64_t ttl_min_us = 0;
  int64_t ttl_max_us = 0;
  // Mean time between two operations of one client that fall due, whether or not the first is
  // answered; 0: each client thinks instead.
  int64_t period_us = 0;
  std::vector<std::vector<NodeId>> homes;  // by client: the nodes that it asks
};

// What one operation asks for, except of whom: that is the client's affair.
struct MixedOperation {
  ClientRequest::Kind kind = ClientRequest::Kind::kGet;
  // kToken is a wish: of a client that has read the key.
  ClientRequest::Base base = ClientRequest::Base::kCurrent;
  std::string key;
  uint64_t value_bytes = 0;  // of a put
  int64_t ttl_us = 0;
  Level level = Level::kNumber;
  int quorum = 0;
};
MixedOperation DrawOperation(Random& random, const OperationMix& mix);

// "k5", or "l5" for the last-writer keys, which are spread evenly (sim/history.h).
std::string KeyOfMix(const OperationMix& mix, uint64_t index);

// The place of one of these weights, in proportion; they are not all 0.
template <typename Things, typename WeightOf>
size_t DrawByWeight(Random& random, const Things& things, const WeightOf& weight_of) {
  uint64_t sum = 0;
  for (const auto& thing : things) sum += weight_of(thing);
  uint64_t left = random.Below(sum);
  size_t place = 0;
  while (left >= weight_of(things[place])) left -= weight_of(things[place++]);
  return place;
}

}  // namespace norn::sim

#endif  // NORN_SIM_ENVIRONMENT_OPERATION_MIX_H_
