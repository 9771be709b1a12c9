// What the TCP bus is told at its start, and what it counts.

#ifndef NORN_NET_TCP_OPTIONS_H_
#define NORN_NET_TCP_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/types.h"
#include "net/frame.h"
#include "net/handshake.h"
#include "net/proto_reader.h"

namespace norn::net {

struct TcpBusOptions {
  struct Peer {
    NodeId id = kNoNode;
    std::string address;  // "host:port"
  };

  Identity identity;           // `instance` is drawn by the bus, from `seed`
  std::string listen_address;  // numeric, as "0.0.0.0:7001" or "[::]:7001"; port 0: any free one
  std::vector<Peer> peers;     // all members but ourselves
  uint64_t seed = 0;           // of back-off jitter and `instance`: drawn at random by the host

  // Per peer, what waits to be sent; past either, the newest message is dropped.
  size_t queue_bytes_max = size_t{32} << 20;
  size_t queue_messages_max = 65536;

  size_t frame_payload_bytes_max = kFramePayloadBytesMax;
  DecodeLimits decode_limits;

  int64_t back_off_min_us = 50'000;  // before the first retry; then doubled, with jitter
  int64_t back_off_max_us = 2'000'000;
  int64_t handshake_timeout_us = 2'000'000;    // to resolve, connect and shake hands
  int64_t unacknowledged_max_us = 10'000'000;  // a peer that is silent for so long has gone
  size_t strangers_max = 64;  // accepted connections that have not yet shaken hands
};

// Of one peer. Counters run from the start of the bus.
struct PeerStats {
  bool sending = false;           // our connection to it is open
  bool receiving = false;         // its connection to us is open
  uint64_t messages_sent = 0;     // given to the kernel; not necessarily delivered
  uint64_t messages_dropped = 0;  // never given to the kernel whole
  uint64_t messages_received = 0;
  uint64_t bytes_sent = 0;  // of frames
  uint64_t bytes_received = 0;
  uint64_t writes = 0;      // gathered: several messages each, under load
  uint64_t connects = 0;    // times our connection to it was opened
  uint64_t reconnects = 0;  // of these, all but the first
  uint64_t connect_failures = 0;
  size_t queued_messages = 0;  // now
  size_t queued_bytes = 0;
};

}  // namespace norn::net

#endif  // NORN_NET_TCP_OPTIONS_H_
