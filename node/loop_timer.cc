#include "node/loop_timer.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace norn::node {

LoopTimer::LoopTimer(asio::io_context& loop, norn::Clock& clock, std::function<void()> fired)
    : clock_(clock), fired_(std::move(fired)), timer_(loop) {}

void LoopTimer::Arm(int64_t deadline_us) {
  wanted_us_ = deadline_us;
  if (wanted_us_ < set_us_) Set(wanted_us_);
}

void LoopTimer::Set(int64_t deadline_us) {
  set_us_ = deadline_us;
  const int64_t wait_us = std::max<int64_t>(0, deadline_us - clock_.Read().monotonic_us);
  timer_.expires_after(std::chrono::microseconds(wait_us));  // cancels what was set before
  timer_.async_wait([this](const asio::error_code& error) {
    if (!error) OnTimer();
  });
}

void LoopTimer::OnTimer() {
  // A wait that had gone off already cannot be cancelled: what it was set for may have moved.
  set_us_ = kNever;
  if (wanted_us_ == kNever) return;
  if (clock_.Read().monotonic_us < wanted_us_) {
    Set(wanted_us_);
    return;
  }
  wanted_us_ = kNever;
  fired_();
}

}  // namespace norn::node
