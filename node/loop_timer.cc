#include "node/loop_timer.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace norn::node {

namespace {

constexpr int64_t kGrainUs = 1'000;

}  // namespace

LoopTimer::LoopTimer(asio::io_context& loop, norn::Clock& clock, std::function<void()> fired)
    : clock_(clock), fired_(std::move(fired)), timer_(loop) {}

void LoopTimer::Arm(int64_t deadline_us) {
  wanted_us_ = deadline_us;
  if (wanted_us_ < set_us_) Set(wanted_us_);
}

void LoopTimer::Set(int64_t deadline_us) {
  const int64_t now_us = clock_.Read().monotonic_us;
  const int64_t at_us = std::max(deadline_us, now_us + kGrainUs);
  if (at_us >= set_us_) return;  // goes off soon enough as it is
  set_us_ = at_us;
  timer_.expires_after(std::chrono::microseconds(at_us - now_us));  // cancels what was set
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
