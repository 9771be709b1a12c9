// The Timer port on an asio loop.
//
// A node's deadline moves with every request. Moving the kernel's timer as often would cost
// more than the request, so a deadline that moves back leaves it alone: when the timer goes off
// too early, it is set anew and nobody is told. Nor does it go off more often than every
// millisecond: deadlines of requests long finished come in swarms.
//
// Threads: the loop's only.

#ifndef NORN_NODE_LOOP_TIMER_H_
#define NORN_NODE_LOOP_TIMER_H_

#include <cstdint>
#include <functional>

#include "asio/io_context.hpp"
#include "asio/steady_timer.hpp"
#include "core/ports.h"

namespace norn::node {

class LoopTimer : public norn::Timer {
 public:
  // `fired` is called from the loop, never from within Arm(). Both arguments outlive this.
  LoopTimer(asio::io_context& loop, norn::Clock& clock, std::function<void()> fired);

  void Arm(int64_t deadline_us) override;

 private:
  void Set(int64_t deadline_us);
  void OnTimer();

  norn::Clock& clock_;
  std::function<void()> fired_;
  asio::steady_timer timer_;
  int64_t wanted_us_ = kNever;
  int64_t set_us_ = kNever;  // when timer_ will go off; kNever: it is not set
};

}  // namespace norn::node

#endif  // NORN_NODE_LOOP_TIMER_H_
