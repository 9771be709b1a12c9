#include "tools/dump/options.h"

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace norn::dump {

const char kUsage[] =
    R"(norn-dump: shows what is in a node's files, and checks them; changes nothing

  norn-dump wal FILE        a write-ahead log: its groups of writes, and where it is cut or bad
  norn-dump sst FILE        a table: footer, properties, filter, index, blocks and entries
  norn-dump manifest FILE   a manifest: each edit, and the version they add up to
  norn-dump verify DIR      all files of a node's directory, and how they fit together

  --values        print values; without, their sizes
  --limit N       print at most N entries (of a manifest: edits). All are checked.
  --from KEY      entries of an sst from KEY on (inclusive)
  --to KEY        entries of an sst below KEY. KEY is a client's key, looked for in every
                  partition and bucket; or 0x and hexadecimal digits: the engine's key,
                  that is partition (2 bytes), bucket (2 bytes), client's key.
  --keys-hex      print keys in hexadecimal; without, only those that are not printable
  --json          a JSON object per line. Bytes that are not printable text are in
                  hexadecimal, under a name that ends in _hex.

A directory can be verified while its node runs: no lock is taken. What a running node has
in hand is then reported as a note; for a full answer, stop the node first.

Exit codes: 0 fine; 1 damage was found; 2 wrong usage, or something could not be read.
)";

namespace {

absl::Status Wrong(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(what, "; see: norn-dump help"));
}

absl::StatusOr<KeyBound> ParseBound(absl::string_view option, absl::string_view text) {
  KeyBound bound;
  absl::string_view digits = text;
  if (!absl::ConsumePrefix(&digits, "0x")) {
    bound.bytes = std::string(text);
    return bound;
  }
  for (const char c : digits) {
    if (!absl::ascii_isxdigit(static_cast<unsigned char>(c))) {
      return Wrong(absl::StrCat(option, " ", text, ": 0x is followed by hexadecimal digits"));
    }
  }
  if (digits.size() % 2 != 0) {
    return Wrong(absl::StrCat(option, " ", text, ": a byte is two hexadecimal digits"));
  }
  bound.bytes = absl::HexStringToBytes(digits);
  bound.is_engine_key = true;
  return bound;
}

// An option that takes a value.
absl::Status SetOption(const std::string& name, const std::string& value, Options* options) {
  if (name == "--limit") {
    if (absl::SimpleAtoi(value, &options->limit)) return absl::OkStatus();
    return Wrong(absl::StrCat("--limit ", value, " is no number from 0 on"));
  }
  absl::StatusOr<KeyBound> bound = ParseBound(name, value);
  if (!bound.ok()) return bound.status();
  (name == "--from" ? options->from : options->to) = *std::move(bound);
  return absl::OkStatus();
}

absl::StatusOr<Options::Command> ParseCommand(const std::string& word) {
  static const std::map<std::string, Options::Command>* const kCommands =
      new std::map<std::string, Options::Command>{{"help", Options::Command::kHelp},
                                                  {"wal", Options::Command::kWal},
                                                  {"sst", Options::Command::kTable},
                                                  {"manifest", Options::Command::kManifest},
                                                  {"verify", Options::Command::kVerify}};
  const auto found = kCommands->find(word);
  if (found == kCommands->end()) return Wrong(absl::StrCat("unknown command \"", word, "\""));
  return found->second;
}

}  // namespace

absl::StatusOr<Options> ParseArguments(const std::vector<std::string>& arguments) {
  Options options;
  std::vector<std::string> words;
  bool only_words = false;  // behind "--"
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    if (only_words || !absl::StartsWith(word, "--")) {
      words.push_back(word);
    } else if (word == "--") {
      only_words = true;
    } else if (word == "--help") {
      return Options();
    } else if (word == "--json") {
      options.json = true;
    } else if (word == "--values") {
      options.values = true;
    } else if (word == "--keys-hex") {
      options.keys_hex = true;
    } else if (word == "--limit" || word == "--from" || word == "--to") {
      if (i + 1 == arguments.size()) return Wrong(absl::StrCat(word, " needs a value"));
      const absl::Status status = SetOption(word, arguments[++i], &options);
      if (!status.ok()) return status;
    } else {
      return Wrong(absl::StrCat("unknown option ", word));
    }
  }
  if (words.empty()) return Wrong("a command is missing");
  const absl::StatusOr<Options::Command> command = ParseCommand(words[0]);
  if (!command.ok()) return command.status();
  options.command = *command;
  if (options.command == Options::Command::kHelp) return options;
  if (words.size() != 2 || words[1].empty()) {
    return Wrong(absl::StrCat(words[0], " takes one ",
                              options.command == Options::Command::kVerify ? "directory" : "file"));
  }
  if (options.command != Options::Command::kTable &&
      (options.from.has_value() || options.to.has_value())) {
    return Wrong("--from and --to are for sst");
  }
  options.path = words[1];
  return options;
}

}  // namespace norn::dump
