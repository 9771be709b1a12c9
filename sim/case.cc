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
#include "sim/text_proto.h"

namespace norn::sim {

namespace {

using google::protobuf::TextFormat;

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
    return absl::InvalidArgumentError(absl::StrCat(path, ":", line, ": the case has format ",
                                                   format, ", and this program reads ", kCaseFormat,
                                                   ": replay it with the program that wrote it"));
  }
  return absl::OkStatus();
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

// The problem with the whole, if there is one; else `*made` is the case.
std::optional<CaseProblem> Make(const Subject& subject, const v1::Case& written,
                                std::shared_ptr<const Case>* made) {
  if (written.format() != kCaseFormat) {
    return CaseProblem{
        "format", -1,
        absl::StrCat("the case must say format: ", kCaseFormat, ", not ", written.format())};
  }
  if (auto problem = FindProblem(written)) return problem;
  return subject.Make(written, made);
}

}  // namespace

void TakeCommon(const v1::Case& written, Case* made) {
  made->seed = written.seed();
  made->until_us = written.until_us();
  made->nodes = written.node_size();
  for (const v1::CaseFault& fault : written.fault()) made->faults.push_back(TakeFault(fault));
  for (const v1::CaseMessage& message : written.message()) {
    made->harms.push_back(TakeMessage(message));
  }
  const auto earlier = [](const auto& a, const auto& b) { return a.start_us < b.start_us; };
  std::stable_sort(made->faults.begin(), made->faults.end(), earlier);
}

absl::StatusOr<v1::Case> ParseCase(const Subject& subject, absl::string_view text,
                                   const std::string& path) {
  v1::Case written;
  TextFormat::ParseInfoTree tree;
  if (absl::Status known = CheckFormat(text, path); !known.ok()) return known;
  absl::Status parsed = ParseTextProto(text, path, "sim/case.proto", &written, &tree);
  if (!parsed.ok()) return parsed;
  std::shared_ptr<const Case> made;
  const std::optional<CaseProblem> problem = Make(subject, written, &made);
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

absl::StatusOr<v1::Case> LoadCase(const Subject& subject, const std::string& path) {
  const absl::StatusOr<std::string> text = ReadWholeFile(path, "case");
  if (!text.ok()) return text.status();
  return ParseCase(subject, *text, path);
}

absl::StatusOr<std::shared_ptr<const Case>> MakeCase(const Subject& subject,
                                                     const v1::Case& written) {
  std::shared_ptr<const Case> made;
  if (auto problem = Make(subject, written, &made)) {
    return absl::InvalidArgumentError(problem->text);
  }
  return made;
}

std::string FormatCase(const v1::Case& written) {
  const std::string program =
      written.protocol().empty() ? std::string("norn-sim") : written.protocol();
  std::string text =
      absl::StrCat("# A run of ", program, " with every choice written down: ", program,
                   " replay FILE repeats it,\n# ", program,
                   " shrink FILE -o MIN cuts it down. What can be written: ", "sim/case.proto.\n");
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
