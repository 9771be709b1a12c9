#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "sim/consistency/read_history.h"

namespace norn::consistency {
namespace {

// Takes an event's fields down while a line is parsed, without building a tree of it.
class EventHandler : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit EventHandler(Event* event) : event_(event) {}

  const std::string& error() const { return error_; }

  bool null() override { return Take(Datum::Kind::kNull, "null"); }
  bool boolean(bool value) override { return Take(Datum::Kind::kAtom, value ? "true" : "false"); }
  bool number_integer(int64_t value) override {
    return Take(Datum::Kind::kInteger, absl::StrCat(value));
  }
  bool number_unsigned(uint64_t value) override {
    return Take(Datum::Kind::kInteger, absl::StrCat(value));
  }
  // Fractions, and what is beyond 64 bits.
  bool number_float(double, const std::string& text) override {
    return Take(Datum::Kind::kOther, text);
  }
  bool string(std::string& value) override {
    return Take(Datum::Kind::kAtom, absl::StrCat("\"", value, "\""));
  }
  bool binary(nlohmann::json::binary_t&) override { return Take(Datum::Kind::kOther, "binary"); }
  bool start_object(size_t) override { return depth_ == 0 ? Enter() : Nest(Datum::Kind::kOther); }
  bool start_array(size_t) override {
    if (depth_ == 0) return Fail("not an object: an event is written {\"process\": ...}");
    return Nest(depth_ == 1 ? Datum::Kind::kSequence : Datum::Kind::kOther);
  }
  bool end_object() override { return Leave(); }
  bool end_array() override { return Leave(); }
  bool key(std::string& name) override {
    if (depth_ != 1) return true;
    field_ = Field(name);
    if (field_ == nullptr || field_->missing()) return true;
    return Fail(absl::StrCat("the field \"", name, "\" is there twice"));
  }
  bool parse_error(size_t position, const std::string&,
                   const nlohmann::detail::exception& why) override {
    // "[json.exception.parse_error.101] parse error at line 1, column 5: ...": from the last part.
    const std::string text = why.what();
    const size_t colon = text.find(": ");
    return Fail(absl::StrCat("not JSON, at byte ", position, ": ",
                             colon == std::string::npos ? text : text.substr(colon + 2)));
  }

 private:
  bool Fail(std::string error) {
    error_ = std::move(error);
    return false;
  }

  Datum* Field(const std::string& name) {
    if (name == "process") return &event_->process;
    if (name == "type") return &event_->type;
    if (name == "f") return &event_->f;
    if (name == "key") return &event_->key;
    if (name == "value") return &event_->value;
    if (name == "time") return &event_->time;
    if (name == "index") return &event_->index;
    return nullptr;
  }

  bool Take(Datum::Kind kind, std::string text) {
    if (depth_ == 0) return Fail("not an object: an event is written {\"process\": ...}");
    if (field_ == nullptr) return true;
    if (depth_ == 1) {
      field_->kind = kind;
      field_->text = std::move(text);
    } else if (depth_ == 2 && field_->kind == Datum::Kind::kSequence) {
      field_->items.push_back({kind, std::move(text), {}});
    }
    return true;
  }

  bool Enter() {
    ++depth_;
    return true;
  }
  bool Nest(Datum::Kind kind) {
    if (field_ != nullptr && depth_ == 1) field_->kind = kind;
    if (field_ != nullptr && depth_ == 2 && field_->kind == Datum::Kind::kSequence) {
      field_->items.push_back({Datum::Kind::kOther, "", {}});
    }
    return Enter();
  }
  bool Leave() {
    --depth_;
    return true;
  }

  Event* event_;
  std::string error_;
  int depth_ = 0;
  Datum* field_ = nullptr;  // the one that is being read; null: one that is skipped
};

}  // namespace

absl::StatusOr<std::string> ValueText(const std::string& json) {
  Event event;
  EventHandler handler(&event);
  if (nlohmann::json::sax_parse(absl::StrCat("{\"value\":", json, "}"), &handler) &&
      event.value.scalar()) {
    return event.value.text;
  }
  return absl::InvalidArgumentError(
      absl::StrCat(json, " is no value: write null, true, 7 or \"text\" as JSON does"));
}

absl::StatusOr<History> ReadJsonl(std::istream& in, const std::string& path,
                                  BuilderOptions options) {
  HistoryBuilder builder(std::move(options));
  std::string text;
  for (int64_t line = 1; std::getline(in, text); ++line) {
    if (text.find_first_not_of(" \t\r") == std::string::npos) continue;
    Event event;
    EventHandler handler(&event);
    absl::Status status;
    if (!nlohmann::json::sax_parse(text, &handler)) {
      status = absl::InvalidArgumentError(handler.error());
    } else {
      status = builder.Add(std::move(event), line);
    }
    if (!status.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(path, ":", line, ": ", status.message()));
    }
  }
  if (in.bad()) return absl::DataLossError(absl::StrCat(path, ": cannot be read to its end"));
  return builder.Finish();
}

}  // namespace norn::consistency
