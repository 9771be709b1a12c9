#include "core/host.h"

#include <utility>

#include "core/check.h"

namespace norn {

Host::Host(const ClusterConfig& cluster, const NodeOptions& options, const Ports& ports)
    : ports_(ports), node_(std::make_unique<Node>(cluster, options)) {
  CORE_CHECK(ports.clock != nullptr && ports.bus != nullptr && ports.storage != nullptr);
  CORE_CHECK(ports.clients != nullptr && ports.timer != nullptr && ports.notes != nullptr);
}

Host::~Host() = default;

void Host::Deliver(Event&& event) {
  CORE_CHECK(!stepping_);  // a port called back: it must queue instead
  stepping_ = true;
  // A timer that went off is gone, even if it was early and nothing was due.
  if (std::holds_alternative<TimerFired>(event)) armed_us_ = kNever;
  node_->Step(ports_.clock->Read(), std::move(event), effects_);
  Perform();
  stepping_ = false;
}

void Host::Perform() {
  for (StoreRequest& request : effects_.store) ports_.storage->Submit(std::move(request));
  for (norn::Send& send : effects_.sends) ports_.bus->Send(send.to, std::move(send.message));
  for (ClientReply& reply : effects_.replies) ports_.clients->Reply(std::move(reply));
  for (const Note& note : effects_.notes) ports_.notes->Write(note);
  effects_.Clear();
  const int64_t deadline_us = node_->NextDeadline();
  if (deadline_us != armed_us_) {
    armed_us_ = deadline_us;
    ports_.timer->Arm(deadline_us);
  }
}

}  // namespace norn
