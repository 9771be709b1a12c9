#include "sim/consistency/history_builder.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace norn::consistency {
namespace {

template <typename... Parts>
absl::Status Wrong(const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat(parts...));
}

// "ok" of "ok" in quotes, :ok and ok.
absl::string_view Word(const Datum& datum) {
  absl::string_view word = datum.text;
  if (datum.kind != Datum::Kind::kAtom) return "";
  if (word.size() >= 2 && word.front() == '"') return word.substr(1, word.size() - 2);
  if (!word.empty() && word.front() == ':') return word.substr(1);
  return word;
}

std::string Shown(const Datum& datum) {
  if (datum.missing()) return "missing";
  return datum.text.empty() ? "not a plain value" : datum.text;
}

absl::Status ParseInteger(const Datum& datum, absl::string_view field, int64_t* number) {
  if (datum.kind != Datum::Kind::kInteger || !absl::SimpleAtoi(datum.text, number) || *number < 0) {
    return Wrong("\"", field, "\" is ", Shown(datum), ": it must be an integer from 0");
  }
  return absl::OkStatus();
}

const char* NameOf(Kind kind) {
  return kind == Kind::kRead ? "read" : kind == Kind::kWrite ? "write" : "cas";
}

}  // namespace

absl::Status HistoryBuilder::Add(Event event, int64_t line) {
  ++position_;
  if (event.process.missing()) return Wrong("the field \"process\" is missing");
  if (event.process.kind != Datum::Kind::kAtom && event.process.kind != Datum::Kind::kInteger) {
    return Wrong("\"process\" is ", Shown(event.process), ": it must be an integer or a string");
  }
  int64_t time = kNoTime;
  if (absl::Status order = CheckOrder(event, &time); !order.ok()) return order;
  if (Word(event.process) == "nemesis") return absl::OkStatus();
  if (event.type.missing()) return Wrong("the field \"type\" is missing");
  const absl::string_view type = Word(event.type);
  const bool invoke = type == "invoke";
  if (!invoke && type != "ok" && type != "fail" && type != "info") {
    return Wrong("\"type\" is ", Shown(event.type), ": it must be invoke, ok, fail or info");
  }
  if (absl::Status split = SplitKey(&event); !split.ok()) return split;

  const auto [at, fresh] = processes_.try_emplace(event.process.text, history_.processes.size());
  const size_t process = at->second;
  if (fresh) {
    history_.processes.push_back(event.process.text);
    open_.emplace_back();
  }
  if (!invoke) {
    if (!open_[process].open) {
      return Wrong("process ", event.process.text, " has no operation open that this could answer");
    }
    const Outcome outcome = type == "ok"     ? Outcome::kOk
                            : type == "fail" ? Outcome::kFailed
                                             : Outcome::kUnknown;
    return Complete(event, outcome, time, line, &open_[process]);
  }
  if (open_[process].open) {
    const Open& open = open_[process];
    return Wrong("process ", event.process.text, " has two operations open: the one of line ",
                 history_.keys[open.key].operations[open.operation].call_line,
                 " has no answer yet");
  }
  Operation operation;
  operation.process = static_cast<int32_t>(process);
  operation.call = position_;
  operation.call_line = line;
  operation.call_time = time;
  return Invoke(event, process, operation);
}

absl::Status HistoryBuilder::SplitKey(Event* event) {
  const Datum& value = event->value;
  if (!options_.key_in_value || value.kind != Datum::Kind::kSequence) return absl::OkStatus();
  if (value.items.size() != 2 || !value.items[0].scalar() || value.items[0].null()) {
    return absl::OkStatus();
  }
  // [KEY [OLD NEW]] and [KEY VALUE], but not [OLD NEW].
  if (Word(event->f) == "cas" && value.items[1].kind != Datum::Kind::kSequence) {
    return absl::OkStatus();
  }
  if (!event->key.missing()) return Wrong("the key is named twice: by \"key\" and in \"value\"");
  Datum key = value.items[0], inner = value.items[1];
  event->key = std::move(key);
  event->value = std::move(inner);
  return absl::OkStatus();
}

absl::Status HistoryBuilder::CheckOrder(const Event& event, int64_t* time) {
  if (!event.time.missing() && !event.time.null()) {
    if (absl::Status bad = ParseInteger(event.time, "time", time); !bad.ok()) return bad;
  }
  if (!event.index.missing() && !event.index.null()) {
    int64_t index = 0;
    if (absl::Status bad = ParseInteger(event.index, "index", &index); !bad.ok()) return bad;
    if (last_index_.has_value() && index <= *last_index_) {
      return Wrong("\"index\" is ", index, " after ", *last_index_,
                   ": events must stand in the order in which they happened");
    }
    last_index_ = index;
  } else if (*time != kNoTime && *time < last_time_) {
    return Wrong("\"time\" is ", *time, " after ", last_time_,
                 ": events must stand in the order in which they happened");
  }
  if (*time != kNoTime) last_time_ = *time;
  return absl::OkStatus();
}

absl::Status HistoryBuilder::Invoke(const Event& event, size_t process, Operation operation) {
  const absl::string_view f = Word(event.f);
  if (event.f.missing()) return Wrong("the field \"f\" is missing");
  if (f != "read" && f != "write" && f != "cas") {
    return Wrong("\"f\" is ", Shown(event.f), ": it must be read, write or cas");
  }
  operation.kind = f == "read" ? Kind::kRead : f == "write" ? Kind::kWrite : Kind::kCas;
  if (operation.kind == Kind::kCas && !options_.cas) {
    return Wrong("this model has reads and writes only: for cas use --model cas-register");
  }
  if (!event.key.missing() && (!event.key.scalar() || event.key.null())) {
    return Wrong("\"key\" is ", Shown(event.key), ": it must be an integer or a string");
  }
  const bool keyed = !event.key.missing();
  if (keys_in_values_.value_or(keyed) != keyed) {
    return Wrong(
        "the key is missing here, or in the operations before: all must have one, or none");
  }
  keys_in_values_ = keyed;
  const size_t key = KeyIndex(event.key);
  if (operation.kind == Kind::kCas) {
    if (event.value.kind != Datum::Kind::kSequence || event.value.items.size() != 2) {
      return Wrong("\"value\" of a cas must be [EXPECTED, NEW]");
    }
    const auto expected = ValueOf(event.value.items[0], key);
    if (!expected.ok()) return expected.status();
    const auto value = ValueOf(event.value.items[1], key);
    if (!value.ok()) return value.status();
    operation.expected = *expected;
    operation.value = *value;
  } else if (operation.kind == Kind::kWrite) {
    if (event.value.missing()) return Wrong("the field \"value\" is missing: what is written?");
    const auto value = ValueOf(event.value, key);
    if (!value.ok()) return value.status();
    operation.value = *value;
  }
  open_[process] = {true, key, history_.keys[key].operations.size()};
  history_.keys[key].operations.push_back(operation);
  ++history_.operations;
  return absl::OkStatus();
}

absl::Status HistoryBuilder::Complete(const Event& event, Outcome outcome, int64_t time,
                                      int64_t line, Open* open) {
  KeyHistory& key = history_.keys[open->key];
  Operation& operation = key.operations[open->operation];
  if (!event.f.missing() && Word(event.f) != NameOf(operation.kind)) {
    return Wrong("\"f\" is ", Shown(event.f), ", but line ", operation.call_line, " asked for a ",
                 NameOf(operation.kind));
  }
  if (!event.key.missing() && event.key.text != key.key) {
    return Wrong("the key is ", Shown(event.key), ", but in line ", operation.call_line, " it was ",
                 key.key.empty() ? "none" : key.key);
  }
  if (outcome == Outcome::kOk) {
    if (absl::Status taken = TakeAnswer(event, key, open->key, &operation); !taken.ok()) {
      return taken;
    }
    ++history_.completed;
  }
  operation.outcome = outcome;
  operation.end_line = line;
  operation.end_time = time;
  if (outcome != Outcome::kUnknown) operation.end = position_;
  open->open = false;
  return absl::OkStatus();
}

// The value that an ok brings: of a read what was read, of others what was asked for.
absl::Status HistoryBuilder::TakeAnswer(const Event& event, const KeyHistory& key, size_t key_index,
                                        Operation* operation) {
  if (operation->is_read()) {
    if (event.value.missing()) return Wrong("the field \"value\" is missing: what was read?");
    const auto value = ValueOf(event.value, key_index);
    if (!value.ok()) return value.status();
    operation->value = *value;
    return absl::OkStatus();
  }
  if (event.value.missing() || event.value.null()) return absl::OkStatus();
  const std::string& asked = key.values[static_cast<size_t>(operation->value)];
  const bool same =
      operation->kind == Kind::kWrite
          ? event.value.scalar() && event.value.text == asked
          : event.value.items.size() == 2 && event.value.items[1].text == asked &&
                event.value.items[0].text == key.values[static_cast<size_t>(operation->expected)];
  if (same) return absl::OkStatus();
  return Wrong("\"value\" is not what line ", operation->call_line, " asked for");
}

size_t HistoryBuilder::KeyIndex(const Datum& key) {
  const auto [at, fresh] = keys_.try_emplace(key.text, history_.keys.size());
  if (fresh) {
    history_.keys.push_back({key.text, {}, {options_.initial}});
    key_values_.emplace_back();
    key_values_.back().values[options_.initial] = kInitialValue;
  }
  return at->second;
}

absl::StatusOr<ValueId> HistoryBuilder::ValueOf(const Datum& value, size_t key) {
  if (!value.scalar()) {
    return Wrong("\"value\" is ", Shown(value),
                 ": a register's value must be null, a boolean, an integer or a string");
  }
  std::vector<std::string>& values = history_.keys[key].values;
  const auto [at, fresh] =
      key_values_[key].values.try_emplace(value.text, static_cast<ValueId>(values.size()));
  if (fresh) values.push_back(value.text);
  return at->second;
}

History HistoryBuilder::Finish() { return std::move(history_); }

}  // namespace norn::consistency
