// The ticket of a client request: which connection, which command and which of the
// command's keys a reply is for, so that a reply finds its place without any lookup.
//
//   ticket = slot (16 bits) generation (16) serial (16) part (16)
//
// Slots are reused; the generation tells a connection from earlier ones in its slot, so a
// reply that comes after its connection has gone is recognised and dropped.

#ifndef NORN_NET_RESP_TICKET_H_
#define NORN_NET_RESP_TICKET_H_

#include <cstdint>

namespace norn::net {

struct RespTicket {
  uint16_t slot = 0;        // of the connection, in the server's table
  uint16_t generation = 0;  // of the slot
  uint16_t serial = 0;      // of the command, in its connection
  uint16_t part = 0;        // of the command: which of its keys
};

inline uint64_t PackTicket(const RespTicket& ticket) {
  return (uint64_t{ticket.slot} << 48) | (uint64_t{ticket.generation} << 32) |
         (uint64_t{ticket.serial} << 16) | uint64_t{ticket.part};
}

inline RespTicket UnpackTicket(uint64_t packed) {
  return {static_cast<uint16_t>(packed >> 48), static_cast<uint16_t>(packed >> 32),
          static_cast<uint16_t>(packed >> 16), static_cast<uint16_t>(packed)};
}

}  // namespace norn::net

#endif  // NORN_NET_RESP_TICKET_H_
