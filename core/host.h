// The one loop that takes an Event, steps the node and performs the effects.

#ifndef NORN_CORE_HOST_H_
#define NORN_CORE_HOST_H_

#include <cstdint>
#include <memory>

#include "core/config.h"
#include "core/events.h"
#include "core/node.h"
#include "core/ports.h"

namespace norn {

// Threads: single-threaded; one event-loop thread owns a host. No global state, so a
// process may run several.
class Host {
 public:
  // `cluster` and `options` must pass Validate().
  Host(const ClusterConfig& cluster, const NodeOptions& options, const Ports& ports);
  ~Host();

  // Reads the clock, steps the node, performs the effects, arms the timer. Must not be
  // called from within a port.
  void Deliver(Event&& event);

  const Node& node() const { return *node_; }

 private:
  void Perform();

  Ports ports_;
  std::unique_ptr<Node> node_;
  Effects effects_;
  int64_t armed_us_ = kNever;
  bool stepping_ = false;
};

}  // namespace norn

#endif  // NORN_CORE_HOST_H_
