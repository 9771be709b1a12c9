#include "sim/sim_bus.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/check.h"
#include "net/codec.h"
#include "sim/describe_message.h"

namespace norn::sim {

void SimBus::Send(NodeId to, Message&& message) {
  std::string bytes;
  net::EncodeMessage(message, &bytes);
  if (trace_.prints()) {
    trace_.Explain(scheduler_.now_us(), self_,
                   absl::StrCat("to n", to, ": ", DescribeMessage(message)));
  }
  if (rules_ != nullptr) return rules_->Route(self_, to, message, std::move(bytes));
  MessageLabel label = LabelOf(message);
  if (trace_.listened()) {
    label.text = DescribeMessage(message);
    label.request = RequestOfMessage(message);
  }
  network_.Send(self_, to, std::move(bytes), label);
}

MessageReceived SimBus::Receive(NodeId from, const std::string& bytes) {
  auto message = net::DecodeMessage(bytes);
  CORE_CHECK(message.ok());
  if (trace_.prints()) {
    trace_.Explain(scheduler_.now_us(), self_,
                   absl::StrCat("from n", from, ": ", DescribeMessage(*message)));
  }
  return MessageReceived{from, *std::move(message)};
}

}  // namespace norn::sim
