#include "sim/case_edit.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "absl/strings/match.h"
#include "sim/fault_plan.h"

namespace norn::sim {

namespace {

// Removes the elements for which `gone(element, index)` holds.
template <typename List, typename Gone>
void Drop(List* list, const Gone& gone) {
  int kept = 0;
  for (int i = 0; i < list->size(); ++i) {
    if (gone(list->Get(i), static_cast<size_t>(i))) continue;
    if (kept != i) list->SwapElements(kept, i);
    ++kept;
  }
  list->DeleteSubrange(kept, list->size() - kept);
}

bool Has(const std::vector<size_t>& sorted, size_t number) {
  return std::binary_search(sorted.begin(), sorted.end(), number);
}

// A part that is a repeated field.
template <typename List>
PartsOfCase PartsOfList(const char* name, const v1::Case& from, List* (v1::Case::*list)()) {
  v1::Case copy = from;
  return {name, static_cast<size_t>((copy.*list)()->size()),
          [list](const v1::Case& whole, const std::vector<size_t>& gone) {
            v1::Case next = whole;
            Drop((next.*list)(), [&gone](const auto&, size_t i) { return Has(gone, i); });
            return next;
          }};
}

// A part that is all operations with the same `of`.
template <typename Of>
PartsOfCase PartsOfOperations(const char* name, const v1::Case& from, const Of& of) {
  const auto all = [of](const v1::Case& whole) {
    using Value = decltype(of(whole.operation(0)));
    std::set<Value> values;
    for (const v1::CaseOperation& operation : whole.operation()) values.insert(of(operation));
    return std::vector<Value>(values.begin(), values.end());
  };
  return {name, all(from).size(),
          [of, all](const v1::Case& whole, const std::vector<size_t>& gone) {
            const auto values = all(whole);
            v1::Case next = whole;
            Drop(next.mutable_operation(), [&](const v1::CaseOperation& operation, size_t) {
              const auto at = std::lower_bound(values.begin(), values.end(), of(operation));
              return Has(gone, static_cast<size_t>(at - values.begin()));
            });
            return next;
          }};
}

FaultKind KindOf(const v1::CaseFault& fault) { return static_cast<FaultKind>(fault.kind()); }

// By chance, one by one.
bool HarmsMessages(const v1::CaseFault& fault) {
  const FaultKind kind = KindOf(fault);
  return kind == FaultKind::kLoss || kind == FaultKind::kDuplicate || kind == FaultKind::kSlow ||
         kind == FaultKind::kReorder || kind == FaultKind::kSlowLinks;
}

// Renumbers the nodes of a list; those that are gone (0) are dropped.
template <typename List>
void Renumber(const std::vector<uint32_t>& now, List* nodes) {
  int kept = 0;
  for (int i = 0; i < nodes->size(); ++i) {
    const uint32_t node = now[nodes->Get(i)];
    if (node != 0) nodes->Set(kept++, node);
  }
  nodes->Truncate(kept);
}

v1::Case WithoutNodes(const v1::Case& whole, const std::vector<size_t>& gone) {
  std::vector<uint32_t> now = {0};  // by old number; 0: gone
  uint32_t count = 0;
  for (int i = 0; i < whole.node_size(); ++i) {
    now.push_back(Has(gone, static_cast<size_t>(i)) ? 0 : ++count);
  }
  v1::Case next = whole;
  Drop(next.mutable_node(), [&](const auto&, size_t i) { return Has(gone, i); });
  Drop(next.mutable_knob(), [&](const v1::CaseKnob& knob, size_t) {
    return knob.has_only_node() && now[knob.only_node()] == 0;
  });
  for (v1::CaseKnob& knob : *next.mutable_knob()) {
    if (knob.has_only_node()) knob.set_only_node(now[knob.only_node()]);
  }
  std::set<uint64_t> of_nobody;
  for (v1::CaseFault& fault : *next.mutable_fault()) {
    if (fault.nodes_size() == 0) continue;
    Renumber(now, fault.mutable_nodes());
    if (fault.nodes_size() == 0) of_nobody.insert(fault.id());
  }
  Drop(next.mutable_fault(),
       [&](const v1::CaseFault& fault, size_t) { return of_nobody.count(fault.id()) != 0; });
  const auto of_gone = [&now](const auto& one, size_t) {
    return now[one.from()] == 0 || now[one.to()] == 0;
  };
  Drop(next.mutable_link(), of_gone);
  for (v1::CaseLink& link : *next.mutable_link()) {
    link.set_from(now[link.from()]);
    link.set_to(now[link.to()]);
  }
  Drop(next.mutable_message(), of_gone);
  for (v1::CaseMessage& message : *next.mutable_message()) {
    message.set_from(now[message.from()]);
    message.set_to(now[message.to()]);
  }
  for (v1::CaseOperation& operation : *next.mutable_operation()) {
    operation.set_via(std::max(now[operation.via()], 1u));
  }
  return next;
}

}  // namespace

PartsOfCase FaultsOf(const v1::Case& from) {
  return PartsOfList("faults", from, &v1::Case::mutable_fault);
}
PartsOfCase MessagesOf(const v1::Case& from) {
  return PartsOfList("harmed messages", from, &v1::Case::mutable_message);
}
PartsOfCase KnobsOfCase(const v1::Case& from) {
  return PartsOfList("settings", from, &v1::Case::mutable_knob);
}
PartsOfCase LinksOf(const v1::Case& from) {
  return PartsOfList("links", from, &v1::Case::mutable_link);
}
PartsOfCase OperationsOf(const v1::Case& from) {
  return PartsOfList("operations", from, &v1::Case::mutable_operation);
}
PartsOfCase RecountedOperationsOf(const v1::Case& from) {
  const size_t count = from.message_size() == 0 ? 0 : static_cast<size_t>(from.operation_size());
  return {"operations, messages recounted", count,
          [](const v1::Case& whole, const std::vector<size_t>& gone) {
            v1::Case next = OperationsOf(whole).without(whole, gone);
            for (v1::CaseMessage& message : *next.mutable_message()) {
              uint64_t fewer = 0;
              for (const size_t i : gone) {
                const v1::CaseOperation& operation = whole.operation(static_cast<int>(i));
                const bool one =
                    operation.via() == message.from() && operation.key() == message.key();
                fewer += one ? 1 : 0;
              }
              message.set_nth(message.nth() - std::min(fewer, message.nth() - 1));
            }
            return next;
          }};
}
PartsOfCase ClientsOf(const v1::Case& from) {
  return PartsOfOperations("clients", from,
                           [](const v1::CaseOperation& operation) { return operation.client(); });
}
PartsOfCase KeysOf(const v1::Case& from) {
  return PartsOfOperations("keys", from,
                           [](const v1::CaseOperation& operation) { return operation.key(); });
}
PartsOfCase NodesOf(const v1::Case& from) {
  return {"nodes", static_cast<size_t>(from.node_size()), WithoutNodes};
}

v1::Case Until(const v1::Case& from, int64_t until_us) {
  v1::Case next = from;
  next.set_until_us(until_us);
  Drop(next.mutable_fault(),
       [until_us](const v1::CaseFault& fault, size_t) { return fault.start_us() >= until_us; });
  for (v1::CaseFault& fault : *next.mutable_fault()) {
    fault.set_end_us(std::min(fault.end_us(), until_us));
  }
  Drop(next.mutable_operation(), [until_us](const v1::CaseOperation& operation, size_t) {
    return operation.at_us() >= until_us;
  });
  return next;
}

int64_t FirstThingUs(const v1::Case& from) {
  int64_t first_us = from.until_us();
  for (const v1::CaseFault& fault : from.fault()) first_us = std::min(first_us, fault.start_us());
  for (const v1::CaseOperation& operation : from.operation()) {
    first_us = std::min(first_us, operation.at_us());
  }
  return first_us;
}

v1::Case Earlier(const v1::Case& from, int64_t by_us) {
  v1::Case next = from;
  next.set_until_us(from.until_us() - by_us);
  for (v1::CaseFault& fault : *next.mutable_fault()) {
    fault.set_start_us(fault.start_us() - by_us);
    fault.set_end_us(fault.end_us() - by_us);
  }
  for (v1::CaseOperation& operation : *next.mutable_operation()) {
    operation.set_at_us(operation.at_us() - by_us);
  }
  return next;
}

v1::Case WithListedHarms(const v1::Case& from, const std::vector<v1::CaseHarm>& harms,
                         uint64_t only) {
  std::set<uint64_t> listed;
  v1::Case next = from;
  Drop(next.mutable_fault(), [&listed, only](const v1::CaseFault& fault, size_t) {
    if (!HarmsMessages(fault) || (only != 0 && fault.id() != only)) return false;
    listed.insert(fault.id());
    return true;
  });
  for (const v1::CaseHarm& harm : harms) {
    const v1::CaseMessage& message = harm.message();
    const bool any = message.lost() || message.doubled() || message.later_us() > 0;
    if (any && listed.count(harm.fault()) != 0) *next.add_message() = message;
  }
  return next;
}

size_t FaultsOfChance(const v1::Case& from) {
  return static_cast<size_t>(
      std::count_if(from.fault().begin(), from.fault().end(), HarmsMessages));
}

v1::Case WithConstantDelays(const v1::Case& from) {
  v1::Case next = from;
  Drop(next.mutable_knob(), [](const v1::CaseKnob& knob, size_t) {
    return absl::StartsWith(knob.name(), "network.delay_") ||
           absl::StartsWith(knob.name(), "client.way_");
  });
  next.clear_link();
  return next;
}

std::vector<v1::Case> SimplerOperations(const v1::Case& from) {
  std::vector<v1::Case> simpler;
  for (int i = 0; i < from.operation_size(); ++i) {
    const auto without = [&](bool has, void (v1::CaseOperation::*clear)()) {
      if (!has) return;
      simpler.push_back(from);
      (simpler.back().mutable_operation(i)->*clear)();
    };
    const v1::CaseOperation& operation = from.operation(i);
    without(operation.has_pad_bytes(), &v1::CaseOperation::clear_pad_bytes);
    without(operation.has_ttl_us(), &v1::CaseOperation::clear_ttl_us);
    without(operation.has_quorum(), &v1::CaseOperation::clear_quorum);
    without(operation.has_level(), &v1::CaseOperation::clear_level);
    without(operation.has_base(), &v1::CaseOperation::clear_base);
  }
  return simpler;
}

std::vector<v1::Case> SimplerMessages(const v1::Case& from) {
  std::vector<v1::Case> simpler;
  for (int i = 0; i < from.message_size(); ++i) {
    if (!from.message(i).doubled() || from.message(i).overtaken()) continue;
    for (const int64_t later_us : {2'000, 10'000, 50'000}) {
      simpler.push_back(WithConstantDelays(from));
      simpler.back().mutable_message(i)->set_later_us(later_us);
      simpler.back().mutable_message(i)->set_overtaken(true);
    }
  }
  return simpler;
}

std::vector<v1::Case> SimplerFaults(const v1::Case& from) {
  std::vector<v1::Case> simpler;
  for (int i = 0; i < from.fault_size(); ++i) {
    const v1::CaseFault& fault = from.fault(i);
    const auto add = [&]() -> v1::CaseFault& {
      simpler.push_back(from);
      return *simpler.back().mutable_fault(i);
    };
    if (fault.again()) add().clear_again();
    if (fault.nodes_size() > 1 && !OneNodeOnly(KindOf(fault))) {
      for (int node = 0; node < fault.nodes_size(); ++node) {
        const int gone = node;
        auto& nodes = *add().mutable_nodes();
        for (int k = gone; k + 1 < nodes.size(); ++k) nodes.Set(k, nodes.Get(k + 1));
        nodes.Truncate(nodes.size() - 1);
      }
    }
    if (fault.loss() != v1::ScenarioFault::ALL_UNSYNCED) add().clear_loss();
    if (AmountIsOne(KindOf(fault)) && fault.amount() > 1) {  // bad blocks, failed syncs, ...
      add().set_amount(1);
      if (fault.amount() > 2) add().set_amount(fault.amount() / 2);
    }
  }
  return simpler;
}

}  // namespace norn::sim
