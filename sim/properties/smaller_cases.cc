#include "sim/properties/smaller_cases.h"

#include <algorithm>
#include <string>
#include <utility>

#include "google/protobuf/util/message_differencer.h"
#include "sim/case.h"
#include "sim/case_edit.h"
#include "sim/properties/draw_case.h"
#include "sim/store_subject.h"

namespace norn::sim {

namespace {

using google::protobuf::util::MessageDifferencer;

constexpr int64_t kMilli = 1'000;

// ---- Lists of simpler cases -------------------------------------------------------

std::vector<v1::Case> Shorter(const v1::Case& from) {
  std::vector<v1::Case> shorter;
  for (const int percent : {10, 25, 50, 75, 90}) {
    shorter.push_back(Until(from, std::max<int64_t>(from.until_us() / 100 * percent, kMilli)));
  }
  // As soon as nothing is left to happen.
  int64_t last_us = kMilli;
  for (const auto& each : from.operation()) last_us = std::max(last_us, each.at_us() + kMilli);
  for (const auto& each : from.fault()) last_us = std::max(last_us, each.end_us());
  shorter.push_back(Until(from, std::min(last_us, from.until_us())));
  return shorter;
}

std::vector<v1::Case> FewerReplicas(const v1::Case& from) {
  std::vector<v1::Case> fewer;
  const v1::CaseBucket& bucket = from.bucket();
  for (uint32_t n = 1; n <= bucket.n(); ++n) {
    for (uint32_t r = 1; r <= std::min(n, bucket.r()); ++r) {
      for (uint32_t w = 1; w <= std::min(n, bucket.w()); ++w) {
        v1::Case next = from;
        next.mutable_bucket()->set_n(n);
        next.mutable_bucket()->set_r(r);
        next.mutable_bucket()->set_w(w);
        fewer.push_back(std::move(next));
      }
    }
  }
  if (bucket.sloppy()) {
    fewer.push_back(from);
    fewer.back().mutable_bucket()->clear_sloppy();
  }
  return fewer;
}

// Fewer zones: all nodes in the first.
std::vector<v1::Case> OneZone(const v1::Case& from) {
  v1::Case next = from;
  for (v1::CaseNode& node : *next.mutable_node()) node.set_zone(from.node(0).zone());
  return {next};
}

std::vector<v1::Case> LesserFaults(const v1::Case& from) {
  std::vector<v1::Case> lesser = SimplerFaults(from);
  for (int i = 0; i < from.fault_size(); ++i) {
    const v1::CaseFault& fault = from.fault(i);
    const auto add = [&]() -> v1::CaseFault& {
      lesser.push_back(from);
      return *lesser.back().mutable_fault(i);
    };
    const int64_t lasts_us = fault.end_us() - fault.start_us();
    for (const int64_t part : {8, 2}) {
      if (lasts_us / part >= kMilli) add().set_end_us(fault.start_us() + lasts_us / part);
    }
    if (lasts_us / 2 >= kMilli) add().set_start_us(fault.start_us() + lasts_us / 2);
    if (fault.down_us() > kMilli) add().set_down_us(fault.down_us() / 2);
    if (fault.amount() > 1) add().set_amount(fault.amount() / 2);
    if (fault.shift_us() != 0) add().set_shift_us(fault.shift_us() / 2);
  }
  return lesser;
}

// Everybody asks the first node, one by one.
std::vector<v1::Case> PlainerOperations(const v1::Case& from) {
  std::vector<v1::Case> plainer = SimplerOperations(from);
  for (int i = 0; i < from.operation_size(); ++i) {
    if (from.operation(i).via() == 1) continue;
    plainer.push_back(from);
    plainer.back().mutable_operation(i)->set_via(1);
  }
  return plainer;
}

// The pauses between things, halved.
std::vector<v1::Case> Closer(const v1::Case& from) {
  std::vector<int64_t> moments = {0};
  for (const auto& each : from.operation()) moments.push_back(each.at_us());
  for (const auto& each : from.fault()) {
    moments.push_back(each.start_us());
    moments.push_back(each.end_us());
  }
  std::sort(moments.begin(), moments.end());
  moments.erase(std::unique(moments.begin(), moments.end()), moments.end());
  std::vector<v1::Case> closer;
  for (size_t i = 1; i < moments.size(); ++i) {
    const int64_t by_us = (moments[i] - moments[i - 1]) / 2;
    if (by_us < kMilli) continue;
    v1::Case next = from;
    const auto sooner = [&](int64_t at_us) { return at_us >= moments[i] ? at_us - by_us : at_us; };
    for (auto& each : *next.mutable_operation()) each.set_at_us(sooner(each.at_us()));
    for (auto& each : *next.mutable_fault()) {
      each.set_start_us(sooner(each.start_us()));
      each.set_end_us(sooner(each.end_us()));
    }
    next.set_until_us(sooner(from.until_us()));
    closer.push_back(std::move(next));
  }
  return closer;
}

using Parts = PartsOfCase (*)(const v1::Case&);
using List = std::vector<v1::Case> (*)(const v1::Case&);
struct Pass {
  Parts parts;  // or
  List list;
};
constexpr Pass kPasses[] = {
    {nullptr, Shorter},       {FaultsOf, nullptr},          {ClientsOf, nullptr},
    {KeysOf, nullptr},        {OperationsOf, nullptr},      {NodesOf, nullptr},
    {nullptr, FewerReplicas}, {nullptr, OneZone},           {MessagesOf, nullptr},
    {nullptr, LesserFaults},  {nullptr, PlainerOperations}, {nullptr, Closer},
};
constexpr size_t kPassCount = std::size(kPasses);

template <typename List>
bool Same(const List& a, const List& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return MessageDifferencer::Equals(x, y); });
}

std::vector<v1::CaseKnob> KnobsOfAll(const v1::Case& written) {
  std::vector<v1::CaseKnob> knobs;
  for (const v1::CaseKnob& knob : written.knob()) {
    if (!knob.has_only_node()) knobs.push_back(knob);
  }
  return knobs;
}

}  // namespace

CaseSize SizeOf(const v1::Case& written) {
  CaseSize size;
  const v1::CaseBucket& bucket = written.bucket();
  size.parts = static_cast<size_t>(written.node_size() + written.fault_size() +
                                   written.operation_size() + written.message_size()) +
               bucket.n() + bucket.r() + bucket.w();
  size.time_us = written.until_us();
  for (const v1::CaseNode& node : written.node()) {
    size.extras += node.zone() != written.node(0).zone() ? 1u : 0u;
  }
  size.extras += bucket.sloppy() ? 1u : 0u;
  for (const v1::CaseFault& fault : written.fault()) {
    size.extras += static_cast<size_t>(fault.nodes_size());
    size.extras += (fault.again() ? 1u : 0u) + (fault.loss() != 0 ? 1u : 0u);
    size.time_us += fault.end_us() - fault.start_us() + fault.down_us() +
                    static_cast<int64_t>(fault.amount()) + std::abs(fault.shift_us());
  }
  for (const v1::CaseOperation& each : written.operation()) {
    size.extras += (each.has_pad_bytes() ? 1u : 0u) + (each.has_ttl_us() ? 1u : 0u) +
                   (each.has_quorum() ? 1u : 0u) + (each.has_base() ? 1u : 0u) +
                   (each.via() != 1 ? 1u : 0u);
    size.time_us += each.at_us();
  }
  return size;
}

SmallerCases::SmallerCases(std::shared_ptr<const v1::Case> from,
                           std::shared_ptr<const CaseShape> shape, const Kept& kept,
                           const Place& start)
    : from_(std::move(from)),
      shape_(std::move(shape)),
      kept_(kept),
      size_(SizeOf(*from_)),
      place_(start),
      // All of them; the one that it begins in the middle of comes twice.
      passes_left_(kPassCount + 1) {}

std::optional<SmallerCases::Candidate> SmallerCases::Next() {
  while (passes_left_ > 0) {
    if (auto candidate = NextOfPass()) return candidate;
    place_ = Place{(place_.pass + 1) % kPassCount, 0, 0};
    --passes_left_;
  }
  return std::nullopt;
}

std::optional<SmallerCases::Candidate> SmallerCases::NextOfPass() {
  const Pass& pass = kPasses[place_.pass];
  if (pass.list != nullptr) {
    std::vector<v1::Case> list = pass.list(*from_);
    while (place_.end < list.size()) {
      v1::Case& candidate = list[place_.end++];
      SetUpIllDisks(&candidate);
      if (Takes(candidate))
        return Candidate{std::move(candidate), {place_.pass, 0, place_.end - 1}};
    }
    return std::nullopt;
  }
  const PartsOfCase parts = pass.parts(*from_);
  if (parts.count == 0) return std::nullopt;
  if (place_.length == 0) place_ = Place{place_.pass, parts.count, parts.count};
  for (;;) {
    place_.length = std::min(place_.length, parts.count);
    place_.end = std::min(place_.end, parts.count);
    if (place_.end == 0) {
      place_.length /= 2;
      place_.end = parts.count;
      if (place_.length == 0) return std::nullopt;
    }
    const size_t begin = place_.end - std::min(place_.end, place_.length);
    std::vector<size_t> gone;
    for (size_t i = begin; i < place_.end; ++i) gone.push_back(i);
    place_.end = begin;
    v1::Case candidate = parts.without(*from_, gone);
    SetUpIllDisks(&candidate);
    if (!Takes(candidate)) continue;
    return Candidate{std::move(candidate), place_};
  }
}

bool SmallerCases::Takes(const v1::Case& candidate) const {
  if (SizeOf(candidate) >= size_) return false;
  if (kept_.workload && !Same(candidate.operation(), from_->operation())) return false;
  if (kept_.faults && !Same(candidate.fault(), from_->fault())) return false;
  if (kept_.topology && (!Same(candidate.node(), from_->node()) ||
                         !MessageDifferencer::Equals(candidate.bucket(), from_->bucket()) ||
                         !Same(KnobsOfAll(candidate), KnobsOfAll(*from_)))) {
    return false;
  }
  return Fits(*shape_, candidate) && MakeCase(NornStore(), candidate).ok();
}

}  // namespace norn::sim
