// Is a client's request one that can be served? Asked at the door, wherever it came in.

#ifndef NORN_CORE_REPLICATION_REQUEST_CHECK_H_
#define NORN_CORE_REPLICATION_REQUEST_CHECK_H_

#include "absl/status/status.h"
#include "core/node_context.h"

namespace norn {

// OK, or what is wrong with the request and which limit or setting says so.
absl::Status CheckRequest(const NodeContext& node, const ClientRequest& request);

// Turns the time to live of a put that names no moment yet, or its bucket's default, into a
// moment of the coordinator's wall clock. `request` passed CheckRequest().
void DecideExpiry(const NodeContext& node, int64_t wall_us, ClientRequest* request);

}  // namespace norn

#endif  // NORN_CORE_REPLICATION_REQUEST_CHECK_H_
