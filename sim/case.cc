#include "sim/case.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/check.h"
#include "google/protobuf/text_format.h"
#include "sim/case_check.h"
#include "sim/claims.h"
#include "sim/knobs.h"
#include "sim/levels.h"
#include "sim/text_proto.h"

namespace norn::sim {

namespace {

using google::protobuf::TextFormat;

// Unless a case says otherwise, all that travels takes the same time.
constexpr int64_t kDelayUs = 1'000;
constexpr int64_t kWayUs = 100;

// Other versions may have fields that are unknown here, so this comes before the grammar. A
// field has a line of its own in what FormatCase writes; anywhere else ParseCase looks again.
absl::Status CheckFormat(absl::string_view text, const std::string& path) {
  int line = 0;
  for (absl::string_view rest : absl::StrSplit(text, '\n')) {
    ++line;
    rest = absl::StripLeadingAsciiWhitespace(rest);
    if (!absl::ConsumePrefix(&rest, "format")) continue;
    rest = absl::StripLeadingAsciiWhitespace(rest);
    if (!absl::ConsumePrefix(&rest, ":")) continue;
    uint32_t format = 0;
    rest = absl::StripAsciiWhitespace(rest);
    if (!absl::SimpleAtoi(rest, &format) || format == kCaseFormat) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        path, ":", line, ": the case has format ", format, ", and this norn-sim reads ",
        kCaseFormat, ": replay it with the norn-sim that wrote it"));
  }
  return absl::OkStatus();
}

void TakeCluster(const v1::Case& written, ClusterConfig* cluster) {
  const v1::CaseBucket& from = written.bucket();
  cluster->partitions = from.partitions();
  for (int i = 0; i < written.node_size(); ++i) {
    MemberConfig member;
    member.id = static_cast<NodeId>(i + 1);
    member.address = absl::StrCat("n", i + 1);
    member.zone = written.node(i).zone();
    member.data_center = written.node(i).data_center();
    cluster->members.push_back(std::move(member));
  }
  BucketConfig& bucket = cluster->buckets.front();
  bucket.n = static_cast<int>(from.n());
  bucket.r = static_cast<int>(from.r());
  bucket.w = static_cast<int>(from.w());
  bucket.r_min = static_cast<int>(from.r_min());
  bucket.w_min = static_cast<int>(from.w_min());
  bucket.sloppy = from.sloppy();
  bucket.prune_entries_above = from.prune_entries_above();
  AddLastWriterBucket(cluster);
}

Fault TakeFault(const v1::CaseFault& from) {
  Fault fault;
  fault.id = from.id();
  fault.kind = static_cast<FaultKind>(from.kind());
  for (const uint32_t node : from.nodes()) fault.nodes.push_back(static_cast<NodeId>(node));
  fault.start_us = from.start_us();
  fault.end_us = from.end_us();
  fault.amount = from.amount();
  fault.shift_us = from.shift_us();
  fault.down_us = from.down_us();
  fault.loss = static_cast<int>(from.loss());
  fault.again = from.again();
  fault.tables_only = from.tables_only();
  fault.effects_min = from.effects_min();
  return fault;
}

MessageHarm TakeMessage(const v1::CaseMessage& from) {
  MessageHarm harm;
  harm.from = static_cast<NodeId>(from.from());
  harm.to = static_cast<NodeId>(from.to());
  harm.label = MessageLabel{from.name(), from.key()};
  harm.nth = from.nth();
  harm.lost = from.lost();
  harm.doubled = from.doubled();
  harm.later_us = from.later_us();
  harm.overtaken = from.overtaken();
  return harm;
}

ScriptedOperation TakeOperation(const v1::CaseOperation& from) {
  ScriptedOperation operation;
  operation.id = from.id();
  operation.at_us = from.at_us();
  operation.client = static_cast<int>(from.client());
  operation.node = static_cast<NodeId>(from.via());
  operation.kind = static_cast<ClientRequest::Kind>(from.kind());
  operation.base = static_cast<ClientRequest::Base>(from.base());
  operation.key = from.key();
  if (!from.value().empty()) {
    operation.value = absl::StrCat(from.value(), " ", std::string(from.pad_bytes(), 'x'));
  }
  operation.quorum = static_cast<int>(from.quorum());
  operation.level = LevelOfName(from.level()).value_or(Level::kNumber);
  operation.ttl_us = from.ttl_us();
  return operation;
}

// The problem with the whole, if there is one; else `*made` is the case.
std::optional<CaseProblem> Make(const v1::Case& written, Case* made) {
  made->seed = written.seed();
  made->until_us = written.until_us();
  if (written.format() != kCaseFormat) {
    return CaseProblem{
        "format", -1,
        absl::StrCat("the case must say format: ", kCaseFormat, ", not ", written.format())};
  }
  if (auto problem = FindProblem(written)) return problem;
  UniverseConfig& config = made->config;
  SetUsualOptions(&config);
  config.delay_min_us = config.delay_max_us = kDelayUs;
  config.workload.way_min_us = config.workload.way_max_us = kWayUs;
  TakeCluster(written, &config.cluster);
  for (const bool own : {false, true}) {
    for (int i = 0; i < written.knob_size(); ++i) {
      const v1::CaseKnob& from = written.knob(i);
      if (own != from.has_only_node()) continue;
      if (own && (from.only_node() < 1 || static_cast<int>(from.only_node()) > written.node_size()))
        return CaseProblem{"knob", i,
                           absl::StrCat("only_node is ", from.only_node(),
                                        ": the cluster has the nodes 1 to ", written.node_size())};
      const absl::Status set =
          SetKnob({from.name(), from.value(), static_cast<NodeId>(from.only_node())}, &config);
      if (!set.ok()) return CaseProblem{"knob", i, std::string(set.message())};
    }
  }
  if (config.delay_min_us > config.delay_max_us ||
      config.workload.way_min_us > config.workload.way_max_us) {
    return CaseProblem{"knob", -1, "the least delay is above the greatest"};
  }
  for (const v1::CaseLink& link : written.link()) {
    config.links.push_back({static_cast<NodeId>(link.from()), static_cast<NodeId>(link.to()),
                            link.delay_min_us(), link.delay_max_us()});
  }
  config.healing_us = written.healing_us();
  for (const std::string& name : written.claim()) config.claims.insert(*ClaimOfName(name));
  NodeOptions first = config.node;
  first.id = 1;
  if (absl::Status valid = Validate(config.cluster, first); !valid.ok()) {
    return CaseProblem{"bucket", -1, std::string(valid.message())};
  }
  TakeLevels(config.bucket(), &config.workload);
  config.workload.clients = 0;
  config.workload.keys = 0;
  for (const v1::CaseFault& fault : written.fault()) made->faults.push_back(TakeFault(fault));
  for (const v1::CaseMessage& message : written.message()) {
    made->harms.push_back(TakeMessage(message));
  }
  for (const v1::CaseOperation& operation : written.operation()) {
    made->script.push_back(TakeOperation(operation));
    config.workload.clients = std::max(config.workload.clients, made->script.back().client);
  }
  const auto earlier = [](const auto& a, const auto& b) { return a.start_us < b.start_us; };
  std::stable_sort(made->faults.begin(), made->faults.end(), earlier);
  std::stable_sort(
      made->script.begin(), made->script.end(),
      [](const ScriptedOperation& a, const ScriptedOperation& b) { return a.at_us < b.at_us; });
  return std::nullopt;
}

}  // namespace

absl::StatusOr<v1::Case> ParseCase(absl::string_view text, const std::string& path) {
  v1::Case written;
  TextFormat::ParseInfoTree tree;
  if (absl::Status known = CheckFormat(text, path); !known.ok()) return known;
  absl::Status parsed = ParseTextProto(text, path, "sim/case.proto", &written, &tree);
  if (!parsed.ok()) return parsed;
  Case made;
  const std::optional<CaseProblem> problem = Make(written, &made);
  if (!problem.has_value()) return written;
  int line = 0;
  if (!problem->field.empty()) {
    const auto* const field = v1::Case::descriptor()->FindFieldByName(problem->field);
    CORE_CHECK(field != nullptr);
    const int index = field->is_repeated() ? std::max(problem->index, 0) : -1;
    line = tree.GetLocation(field, index).line + 1;
  }
  return absl::InvalidArgumentError(
      absl::StrCat(path, line > 0 ? absl::StrCat(":", line) : "", ": ", problem->text));
}

absl::StatusOr<v1::Case> LoadCase(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadWholeFile(path, "case");
  if (!text.ok()) return text.status();
  return ParseCase(*text, path);
}

absl::StatusOr<std::shared_ptr<const Case>> MakeCase(const v1::Case& written) {
  auto made = std::make_shared<Case>();
  if (auto problem = Make(written, made.get())) {
    return absl::InvalidArgumentError(problem->text);
  }
  return std::shared_ptr<const Case>(std::move(made));
}

std::string FormatCase(const v1::Case& written) {
  std::string text =
      "# A run of norn-sim with every choice written down: norn-sim replay FILE repeats it,\n"
      "# norn-sim shrink FILE -o MIN cuts it down. What can be written: sim/case.proto.\n";
  const google::protobuf::Reflection& reflection = *written.GetReflection();
  const google::protobuf::Descriptor& fields = *v1::Case::descriptor();
  TextFormat::Printer printer;
  printer.SetSingleLineMode(true);
  std::string inside;
  for (int i = 0; i < fields.field_count(); ++i) {
    const google::protobuf::FieldDescriptor* const field = fields.field(i);
    const bool list = field->is_repeated();
    const int size =
        list ? reflection.FieldSize(written, field) : (reflection.HasField(written, field) ? 1 : 0);
    for (int j = 0; j < size; ++j) {
      printer.PrintFieldValueToString(written, field, list ? j : -1, &inside);
      if (field->message_type() == nullptr) {
        absl::StrAppend(&text, field->name(), ": ", inside, "\n");
      } else {
        absl::StrAppend(&text, field->name(), " { ", inside, "}\n");
      }
    }
  }
  return text;
}

absl::Status SaveCase(const v1::Case& written, const std::string& path) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << FormatCase(written);
  file.close();
  if (file) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat(path, ": cannot be written: is there such a folder, and room?"));
}

}  // namespace norn::sim
