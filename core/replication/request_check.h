// Is a client's request one that can be served? Asked at the door, wherever it came in.

#ifndef NORN_CORE_REPLICATION_REQUEST_CHECK_H_
#define NORN_CORE_REPLICATION_REQUEST_CHECK_H_

#include "absl/status/status.h"
#include "core/node_context.h"

namespace norn {

// OK, or what is wrong with the request and which limit or setting says so.
absl::Status CheckRequest(const NodeContext& node, const ClientRequest& request);

}  // namespace norn

#endif  // NORN_CORE_REPLICATION_REQUEST_CHECK_H_
