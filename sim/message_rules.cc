#include "sim/message_rules.h"

#include <utility>
#include <variant>

namespace norn::sim {

namespace {

struct KeyFinder {
  std::string operator()(const ReplicaWrite& m) const { return std::string(ClientKeyOf(m.key)); }
  std::string operator()(const ReplicaRead& m) const { return std::string(ClientKeyOf(m.key)); }
  std::string operator()(const Forward& m) const { return m.operation.key; }
  template <typename Other>
  std::string operator()(const Other&) const {
    return std::string();
  }
};

template <size_t... kIndex>
std::set<std::string> NamesOf(std::index_sequence<kIndex...>) {
  return {MessageName(Message(std::in_place_index<kIndex>))...};
}

}  // namespace

const std::set<std::string>& MessageNames() {
  static const auto* const kNames =
      new std::set<std::string>(NamesOf(std::make_index_sequence<std::variant_size_v<Message>>()));
  return *kNames;
}

std::string KeyOfMessage(const Message& message) { return std::visit(KeyFinder{}, message); }

RequestId RequestOfMessage(const Message& message) {
  return std::visit(
      [](const auto& m) -> RequestId {
        if constexpr (requires { m.request; }) {
          return m.request;
        } else {
          return 0;
        }
      },
      message);
}

MessageLabel LabelOf(const Message& message) {
  return MessageLabel{MessageName(message), KeyOfMessage(message)};
}

size_t MessageRules::Add(MessageRule rule) {
  State state;
  state.rule = std::move(rule);
  rules_.push_back(std::move(state));
  return rules_.size() - 1;
}

void MessageRules::Release(size_t rule) {
  std::vector<Held> held = std::exchange(rules_[rule].held, {});
  for (Held& message : held) {
    network_.Send(message.from, message.to, std::move(message.bytes), message.label);
  }
}

void MessageRules::EndAll() {
  for (size_t i = 0; i < rules_.size(); ++i) {
    End(i);
    Release(i);
  }
}

MessageRules::State* MessageRules::Match(NodeId from, NodeId to, const Message& message) {
  State* found = nullptr;
  for (State& state : rules_) {
    const MessageRule& rule = state.rule;
    if (state.ended || (rule.from != kNoNode && rule.from != from) ||
        (rule.to != kNoNode && rule.to != to) ||
        (!rule.message.empty() && rule.message != MessageName(message)) ||
        (!rule.key.empty() && rule.key != KeyOfMessage(message))) {
      continue;
    }
    // Every rule counts the message, the first that is due has it.
    ++state.matches;
    const bool due = state.matches >= rule.nth;
    const bool over = rule.times != 0 && state.matches >= rule.nth + rule.times;
    if (due && !over && found == nullptr) found = &state;
  }
  return found;
}

void MessageRules::SendLater(int64_t delay_us, NodeId from, NodeId to, std::string bytes,
                             MessageLabel label) {
  scheduler_.After(delay_us,
                   [this, from, to, bytes = std::move(bytes), label = std::move(label)]() mutable {
                     network_.Send(from, to, std::move(bytes), label);
                   });
}

void MessageRules::Route(NodeId from, NodeId to, const Message& message, std::string bytes) {
  State* const state = Match(from, to, message);
  const MessageLabel label = LabelOf(message);
  if (state == nullptr) return network_.Send(from, to, std::move(bytes), label);
  ++state->effects;
  switch (state->rule.action) {
    case MessageRule::Action::kDrop:
      return;
    case MessageRule::Action::kDelay:
      return SendLater(state->rule.delay_us, from, to, std::move(bytes), label);
    case MessageRule::Action::kDuplicate:
      SendLater(state->rule.delay_us, from, to, bytes, label);
      return network_.Send(from, to, std::move(bytes), label);
    case MessageRule::Action::kHold:
      state->held.push_back({from, to, std::move(bytes), label});
      return;
  }
}

}  // namespace norn::sim
