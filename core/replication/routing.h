// Who mints a write: a replica, or in a sloppy bucket, while none can be reached, a stand-in.

#ifndef NORN_CORE_REPLICATION_ROUTING_H_
#define NORN_CORE_REPLICATION_ROUTING_H_

#include "core/membership/membership.h"
#include "core/node_context.h"

namespace norn {

// The node that is to mint a write that this node was asked for: itself, if it is a replica of
// the key; else the first replica that can be reached. Else, in a sloppy bucket: itself, if it is
// among the first N stand-ins that can be reached; else the first of those. Else the first replica
// that was ever heard of, and kNoNode if there is none. `request` was validated.
//
// Whoever coordinates a local_quorum counts its own data center, so it must be in ours.
NodeId PickMinter(const NodeContext& node, const Membership& membership,
                  const ClientRequest& request);

}  // namespace norn

#endif  // NORN_CORE_REPLICATION_ROUTING_H_
