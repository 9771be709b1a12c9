#include "sim/sim_network.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/check.h"
#include "sim/link_faults.h"

namespace norn::sim {

Fault* SimNetwork::CutBy(NodeId from, NodeId to) {
  for (Fault& fault : *plan_) {
    if (Cuts(fault, from, to, scheduler_.now_us())) return &fault;
  }
  return nullptr;
}

Fault* SimNetwork::ResetSince(NodeId from, NodeId to, int64_t sent_us) {
  for (Fault& fault : *plan_) {
    if (Resets(fault, seed_, from, to, sent_us, scheduler_.now_us())) return &fault;
  }
  return nullptr;
}

KeyedSeed SimNetwork::KindOf(NodeId from, NodeId to, const MessageLabel& label) const {
  return seed_.With(uint64_t{from}).With(uint64_t{to}).With(label.name).With(label.key);
}

void SimNetwork::Harm(std::vector<MessageHarm> harms) {
  CORE_CHECK(sent_ == 0);
  harms_ = std::move(harms);
  for (size_t i = 0; i < harms_.size(); ++i) {
    const MessageHarm& harm = harms_[i];
    harms_of_.emplace(std::make_pair(KindOf(harm.from, harm.to, harm.label).value(), harm.nth), i);
  }
}

void SimNetwork::SetLinks(const std::vector<LinkDelay>& links) {
  CORE_CHECK(sent_ == 0);
  for (const LinkDelay& link : links) link_delays_[{link.from, link.to}] = link;
}

void SimNetwork::Tell(const Passage& passage, const Fault& fault, const MessageHarm& what) {
  if (!witness_) return;
  MessageHarm harm = what;
  harm.from = passage.from;
  harm.to = passage.to;
  harm.label = passage.label;
  harm.nth = passage.nth;
  harm.fault = fault.id;
  witness_(harm);
}

void SimNetwork::Send(NodeId from, NodeId to, std::string bytes, const MessageLabel& label) {
  ++sent_;
  trace_.Record(scheduler_.now_us(), from, absl::StrCat("send to n", to), bytes);
  const uint64_t id = sent_;
  if (trace_.listened()) {
    trace_.Tell({RunEvent::Kind::kSend, scheduler_.now_us(), id, from, to, 0, label.request,
                 label.name, label.key, label.text});
  }
  const KeyedSeed kind = KindOf(from, to, label);
  const uint64_t nth = ++sent_of_[kind.value()];
  if (Fault* const cut = CutBy(from, to)) {
    ++cut->effects;
    return TellLost(id, cut);
  }
  Passage passage{from, to, label, id, nth, kind.With(nth), std::move(bytes), 0, false};
  bool doubled = false;
  const auto [first, last] = harms_of_.equal_range({kind.value(), nth});
  for (auto it = first; it != last; ++it) {
    MessageHarm& harm = harms_[it->second];
    ++harm.effects;
    if (harm.lost) return TellLost(id, nullptr);
    doubled = doubled || harm.doubled;
    passage.later_us += harm.later_us;
    passage.overtaken = passage.overtaken || harm.overtaken;
  }
  for (Fault& fault : *plan_) {
    if (!fault.ActiveAt(scheduler_.now_us())) continue;
    if (fault.kind != FaultKind::kLoss && fault.kind != FaultKind::kDuplicate) continue;
    if (!passage.chance.With(fault.id).Stream().Chance(fault.amount, 1000)) continue;
    ++fault.effects;
    MessageHarm harm;
    harm.lost = fault.kind == FaultKind::kLoss;
    harm.doubled = !harm.lost;
    Tell(passage, fault, harm);
    if (harm.lost) return TellLost(id, &fault);
    doubled = true;
  }
  if (doubled) Launch(passage, 1);
  Launch(passage, 0);
}

void SimNetwork::Launch(const Passage& passage, uint64_t copy) {
  const auto own_delay = link_delays_.find({passage.from, passage.to});
  const bool own = own_delay != link_delays_.end();
  int64_t delay_us = passage.chance.With("delay").With(copy).Stream().Between(
      own ? own_delay->second.min_us : delay_min_us_,
      own ? own_delay->second.max_us : delay_max_us_);
  if (copy == 0) delay_us += passage.later_us;
  bool in_order = true;
  for (Fault& fault : *plan_) {
    if (!Slows(fault, passage.from, passage.to, scheduler_.now_us())) continue;
    MessageHarm harm;
    harm.later_us = static_cast<int64_t>(
        passage.chance.With(fault.id).With(copy).Stream().Below(fault.amount + 1));
    harm.overtaken = fault.kind == FaultKind::kReorder;
    delay_us += harm.later_us;
    if (copy == 0) Tell(passage, fault, harm);
    if (fault.kind == FaultKind::kReorder) {
      in_order = false;
    } else {
      ++fault.effects;
    }
  }
  int64_t arrival_us = scheduler_.now_us() + delay_us;
  Link& link = links_[{passage.from, passage.to}];
  int64_t& last_us = link.last_arrival_us;
  // Nobody waits for what a broken connection has lost.
  if (ResetSince(passage.from, passage.to, link.last_sent_us) != nullptr) last_us = 0;
  link.last_sent_us = scheduler_.now_us();
  if (in_order) {
    arrival_us = std::max(arrival_us, last_us);
  } else if (arrival_us < last_us) {
    for (Fault& fault : *plan_) {
      if (fault.kind == FaultKind::kReorder && fault.ActiveAt(scheduler_.now_us())) {
        ++fault.effects;
      }
    }
  }
  if (!passage.overtaken || copy != 0) last_us = std::max(last_us, arrival_us);
  scheduler_.At(arrival_us, [this, id = passage.id, from = passage.from, to = passage.to,
                             sent_us = scheduler_.now_us(),
                             bytes = passage.bytes] { Deliver(id, from, to, sent_us, bytes); });
}

void SimNetwork::TellLost(uint64_t id, const Fault* by) {
  if (!trace_.listened()) return;
  RunEvent event;
  event.kind = RunEvent::Kind::kLose;
  event.time_us = scheduler_.now_us();
  event.id = id;
  event.text = by == nullptr ? "the case says so" : FaultKindName(by->kind);
  trace_.Tell(event);
}

void SimNetwork::Deliver(uint64_t id, NodeId from, NodeId to, int64_t sent_us,
                         const std::string& bytes) {
  Fault* cut = CutBy(from, to);
  if (cut == nullptr) cut = ResetSince(from, to, sent_us);
  if (cut != nullptr) {
    ++cut->effects;
    return TellLost(id, cut);
  }
  ++delivered_;
  if (trace_.listened()) {
    RunEvent event;
    event.kind = RunEvent::Kind::kReceive;
    event.time_us = scheduler_.now_us();
    event.id = id;
    event.node = to;
    event.other = from;
    trace_.Tell(event);
  }
  trace_.Record(scheduler_.now_us(), to, absl::StrCat("receive from n", from), bytes);
  receiver_(from, to, bytes);
}

}  // namespace norn::sim
