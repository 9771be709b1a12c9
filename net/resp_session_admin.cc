// Commands that a session answers itself: about the connection, and about this node.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "net/resp_glob.h"
#include "net/resp_integer.h"
#include "net/resp_session.h"

namespace norn::net {
namespace {

using Id = RespCommandId;

constexpr absl::string_view kInfoSections[] = {"server",  "clients", "cluster",
                                               "buckets", "stats",   "storage"};

// What clients and benchmarks ask for when they connect. Durability of a write is part of
// its acknowledgement here, which is what "appendfsync always" means to them.
constexpr std::pair<absl::string_view, absl::string_view> kConfig[] = {
    {"appendfsync", "always"},          {"appendonly", "yes"}, {"maxmemory", "0"},
    {"maxmemory-policy", "noeviction"}, {"save", ""},          {"timeout", "0"},
};

bool IsOneOf(absl::string_view text, std::initializer_list<absl::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

// "cluster" -> "# Cluster\r\n", and the body's lines with Redis's line ends.
void AppendSection(absl::string_view name, absl::string_view body, std::string* out) {
  if (body.empty()) return;
  if (!out->empty()) out->append("\r\n");
  std::string title(name);
  title[0] = absl::ascii_toupper(static_cast<unsigned char>(title[0]));
  absl::StrAppend(out, "# ", title, "\r\n");
  for (const absl::string_view line : absl::StrSplit(body, '\n', absl::SkipEmpty())) {
    absl::StrAppend(out, absl::StripSuffix(line, "\r"), "\r\n");
  }
}

void WriteHelp(std::initializer_list<absl::string_view> lines, RespWriter writer) {
  writer.Array(lines.size());
  for (const absl::string_view line : lines) writer.Simple(line);
}

void WriteCommandSpec(const RespCommandSpec& spec, RespWriter& writer) {
  const std::vector<absl::string_view> flags = absl::StrSplit(spec.flags, ' ', absl::SkipEmpty());
  writer.Array(6);
  writer.Bulk(spec.name);
  writer.Integer(spec.arity);
  writer.Array(flags.size());
  for (const absl::string_view flag : flags) writer.Simple(flag);
  writer.Integer(spec.first_key);
  writer.Integer(spec.last_key);
  writer.Integer(spec.key_step);
}

std::vector<const RespCommandSpec*> OfferedCommands() {
  std::vector<const RespCommandSpec*> out;
  for (const RespCommandSpec& spec : AllRespCommands()) {
    if (!spec.refused()) out.push_back(&spec);
  }
  return out;
}

}  // namespace

void RespSession::Ping(Arguments arguments) {
  if (arguments.size() > 2) return WrongArity("ping");
  if (arguments.size() == 2) return Immediate().Bulk(arguments[1]);
  Immediate().Simple("PONG");
}

bool RespSession::CheckName(absl::string_view name) {
  const auto is_plain = [](char c) { return c >= '!' && c <= '~'; };
  if (std::all_of(name.begin(), name.end(), is_plain)) return true;
  Error("ERR Client names cannot contain spaces, newlines or special characters.");
  return false;
}

void RespSession::Hello(Arguments arguments) {
  int64_t protocol = protocol_;
  size_t i = 1;
  if (arguments.size() > 1) {
    if (!ParseRespInteger(arguments[i++], &protocol)) {
      Error("ERR Protocol version is not an integer or out of range");
      return;
    }
    if (protocol != 2 && protocol != 3) {
      Error("NOPROTO unsupported protocol version");
      return;
    }
  }
  absl::string_view name = name_;
  while (i < arguments.size()) {
    if (absl::EqualsIgnoreCase(arguments[i], "AUTH") && i + 2 < arguments.size()) {
      Error("ERR HELLO AUTH is refused: this server has no passwords yet; connect without one");
      return;
    }
    if (!absl::EqualsIgnoreCase(arguments[i], "SETNAME") || i + 1 >= arguments.size()) {
      Error(absl::StrCat("ERR Syntax error in HELLO option '",
                         arguments[i].substr(0, kRespEchoBytesMax), "'"));
      return;
    }
    if (!CheckName(arguments[i + 1])) return;
    name = arguments[i + 1];
    i += 2;
  }
  name_ = std::string(name);
  protocol_ = static_cast<int>(protocol);

  RespWriter writer = Immediate();
  writer.Map(7);
  writer.Bulk("server");
  writer.Bulk("norn");
  writer.Bulk("version");
  writer.Bulk(services_.version);
  writer.Bulk("proto");
  writer.Integer(protocol_);
  writer.Bulk("id");
  writer.Integer(static_cast<int64_t>(id_));
  // Not "cluster": clients would then look for slots, and any node serves any key here.
  writer.Bulk("mode");
  writer.Bulk("standalone");
  writer.Bulk("role");
  writer.Bulk("master");
  writer.Bulk("modules");
  writer.Array(0);
}

void RespSession::Info(Arguments sections) {
  std::string text;
  for (const absl::string_view section : kInfoSections) {
    const bool wanted =
        sections.empty() ||
        std::any_of(sections.begin(), sections.end(), [section](absl::string_view asked) {
          const std::string lower = absl::AsciiStrToLower(asked);
          return lower == section || IsOneOf(lower, {"all", "default", "everything"});
        });
    if (wanted && services_.info) AppendSection(section, services_.info(section), &text);
  }
  Immediate().Verbatim(text);
}

void RespSession::Client(Arguments arguments) {
  const std::string subcommand = absl::AsciiStrToUpper(arguments[1]);
  if (!ClientSubcommand(subcommand, arguments.subspan(2))) {
    UnknownSubcommand("CLIENT", arguments[1]);
  }
}

bool RespSession::ClientSubcommand(const std::string& subcommand, Arguments rest) {
  const auto takes = [&](size_t least, size_t most) {
    if (rest.size() >= least && rest.size() <= most) return true;
    WrongArity(absl::StrCat("client|", absl::AsciiStrToLower(subcommand)));
    return false;
  };
  if (subcommand == "ID") {
    if (takes(0, 0)) Immediate().Integer(static_cast<int64_t>(id_));
  } else if (subcommand == "SETNAME") {
    if (!takes(1, 1) || !CheckName(rest[0])) return true;
    name_ = std::string(rest[0]);
    Immediate().Simple("OK");
  } else if (subcommand == "GETNAME") {
    if (!takes(0, 0)) return true;
    if (name_.empty()) {
      Immediate().Null();
    } else {
      Immediate().Bulk(name_);
    }
  } else if (subcommand == "SETINFO") {
    if (!takes(2, 2) || !CheckName(rest[1])) return true;
    const bool is_name = absl::EqualsIgnoreCase(rest[0], "lib-name");
    if (!is_name && !absl::EqualsIgnoreCase(rest[0], "lib-ver")) {
      return Error(
          absl::StrCat("ERR Unrecognized option '", rest[0].substr(0, kRespEchoBytesMax), "'"));
    }
    (is_name ? library_name_ : library_version_) = std::string(rest[1]);
    Immediate().Simple("OK");
  } else if (subcommand == "INFO") {
    if (takes(0, 0)) Immediate().Verbatim(absl::StrCat(Describe(), "\n"));
  } else if (subcommand == "LIST") {
    if (!takes(0, 0)) return true;
    Immediate().Verbatim(services_.client_list ? services_.client_list()
                                               : absl::StrCat(Describe(), "\n"));
  } else if (subcommand == "NO-EVICT" || subcommand == "NO-TOUCH") {
    // Nothing is evicted and nothing ages here: both settings hold.
    if (!takes(1, 1)) return true;
    if (!absl::EqualsIgnoreCase(rest[0], "on") && !absl::EqualsIgnoreCase(rest[0], "off")) {
      return Error("ERR syntax error");
    }
    Immediate().Simple("OK");
  } else if (subcommand == "REPLY") {
    if (!takes(1, 1)) return true;
    if (!absl::EqualsIgnoreCase(rest[0], "on")) {
      return Error("ERR CLIENT REPLY OFF and SKIP are not supported: every command is answered");
    }
    Immediate().Simple("OK");
  } else if (subcommand == "HELP") {
    WriteHelp({"CLIENT <subcommand> [<arg> ...]. Subcommands are:", "GETNAME", "ID", "INFO", "LIST",
               "NO-EVICT (ON|OFF)", "NO-TOUCH (ON|OFF)", "REPLY ON",
               "SETINFO (LIB-NAME|LIB-VER) <value>", "SETNAME <name>"},
              Immediate());
  } else {
    return false;
  }
  return true;
}

void RespSession::Command(Arguments arguments) {
  if (arguments.size() == 1) return CommandList({});
  const std::string subcommand = absl::AsciiStrToUpper(arguments[1]);
  const std::vector<const RespCommandSpec*> offered = OfferedCommands();
  if (subcommand == "COUNT") {
    Immediate().Integer(static_cast<int64_t>(offered.size()));
  } else if (subcommand == "DOCS") {
    CommandDocs(arguments.subspan(2));
  } else if (subcommand == "INFO") {
    CommandList(arguments.subspan(2));
  } else if (subcommand == "LIST") {
    RespWriter writer = Immediate();
    writer.Array(offered.size());
    for (const RespCommandSpec* spec : offered) writer.Bulk(spec->name);
  } else if (subcommand == "HELP") {
    WriteHelp({"COMMAND <subcommand> [<arg> ...]. Subcommands are:", "(no subcommand)", "COUNT",
               "DOCS [<name> ...]", "INFO [<name> ...]", "LIST"},
              Immediate());
  } else {
    UnknownSubcommand("COMMAND", arguments[1]);
  }
}

void RespSession::CommandList(Arguments names) {
  RespWriter writer = Immediate();
  if (names.empty()) {
    const std::vector<const RespCommandSpec*> offered = OfferedCommands();
    writer.Array(offered.size());
    for (const RespCommandSpec* spec : offered) WriteCommandSpec(*spec, writer);
    return;
  }
  writer.Array(names.size());
  for (const absl::string_view name : names) {
    const RespCommandSpec* spec = FindRespCommand(name);
    if (spec == nullptr || spec->refused()) {
      writer.Null();
    } else {
      WriteCommandSpec(*spec, writer);
    }
  }
}

void RespSession::CommandDocs(Arguments names) {
  std::vector<const RespCommandSpec*> shown;
  if (names.empty()) shown = OfferedCommands();
  for (const absl::string_view name : names) {
    const RespCommandSpec* spec = FindRespCommand(name);
    if (spec != nullptr && !spec->refused()) shown.push_back(spec);
  }
  RespWriter writer = Immediate();
  writer.Map(shown.size());
  for (const RespCommandSpec* spec : shown) {
    writer.Bulk(spec->name);
    writer.Map(2);
    writer.Bulk("summary");
    writer.Bulk(spec->summary);
    writer.Bulk("group");
    writer.Bulk(spec->first_key > 0 ? "generic" : "connection");
  }
}

void RespSession::Config(Arguments arguments) {
  const std::string subcommand = absl::AsciiStrToUpper(arguments[1]);
  if (subcommand == "GET") {
    if (arguments.size() < 3) return WrongArity("config|get");
    ConfigGet(arguments.subspan(2));
  } else if (IsOneOf(subcommand, {"SET", "REWRITE", "RESETSTAT"})) {
    Error(absl::StrCat("ERR CONFIG ", subcommand,
                       " is refused: a node is configured by its file, and reads it at start"));
  } else if (subcommand == "HELP") {
    WriteHelp(
        {"CONFIG <subcommand> [<arg> ...]. Subcommands are:", "GET <pattern> [<pattern> ...]"},
        Immediate());
  } else {
    UnknownSubcommand("CONFIG", arguments[1]);
  }
}

void RespSession::ConfigGet(Arguments patterns) {
  std::vector<std::pair<absl::string_view, absl::string_view>> found;
  const auto consider = [&](absl::string_view name, absl::string_view value) {
    const bool known = std::any_of(found.begin(), found.end(),
                                   [name](const auto& entry) { return entry.first == name; });
    const bool asked = std::any_of(patterns.begin(), patterns.end(), [name](auto pattern) {
      return MatchRespGlob(absl::AsciiStrToLower(pattern), name);
    });
    if (asked && !known) found.emplace_back(name, value);
  };
  for (const auto& [name, value] : services_.config) consider(name, value);
  for (const auto& [name, value] : kConfig) consider(name, value);
  const std::string buckets = absl::StrCat(services_.buckets.size());
  consider("databases", buckets);

  RespWriter writer = Immediate();
  writer.Map(found.size());
  for (const auto& [name, value] : found) {
    writer.Bulk(name);
    writer.Bulk(value);
  }
}

void RespSession::Select(absl::string_view number) {
  int64_t bucket = 0;
  if (!ParseRespInteger(number, &bucket)) {
    Error("ERR value is not an integer or out of range");
    return;
  }
  if (const RespBucket* const known = FindRespBucket(services_.buckets, number)) {
    bucket_ = known->id;
    Immediate().Simple("OK");
    return;
  }
  Error(absl::StrCat("ERR DB index is out of range: ", NoSuchBucket(number)));
}

std::string RespSession::NoSuchBucket(absl::string_view name) const {
  const std::string buckets =
      absl::StrJoin(services_.buckets, ", ", [](std::string* out, const RespBucket& known) {
        absl::StrAppend(out, known.id, " (", known.name, ")");
      });
  return absl::StrCat("no bucket ", name.substr(0, kRespEchoBytesMax), "; this cluster has ",
                      buckets);
}

bool RespSession::NornCheckpoint(absl::string_view name) {
  if (!services_.checkpoint) return Error("ERR this server takes no checkpoints");
  const uint16_t serial = pipeline_.Add(ReplyForm::kValue, protocol_, KeyAccess::kNone, 0);
  ++requests_;
  services_.checkpoint(name, ticket_ | (uint64_t{serial} << 16));
  return true;
}

void RespSession::Reset() {
  protocol_ = 2;
  bucket_ = 0;
  name_.clear();
  in_refused_transaction_ = false;
  Immediate().Simple("RESET");
}

}  // namespace norn::net
