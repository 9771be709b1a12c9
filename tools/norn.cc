// norn: reads and writes keys of a running node, and shows how its cluster is.

#include <asio/connect.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/write.hpp>
#include <cstdint>
#include <iostream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/json_string.h"
#include "net/host_port.h"
#include "net/resp_reply.h"

namespace {

using norn::JsonString;
using norn::net::RespReply;

constexpr char kUsage[] = R"(norn: reads and writes keys of a Norn node

  norn [--node HOST:PORT] get KEY [--r N] [--json]
      prints the value; several lines if concurrent writes left siblings
  norn [--node HOST:PORT] put KEY VALUE [--context TOKEN|NONE] [--w N] [--json]
      VALUE - reads standard input. With the context of a get, replaces exactly what that
      get saw; without, whatever is there; with NONE, nothing (the values become siblings).
  norn [--node HOST:PORT] del KEY [--context TOKEN] [--w N] [--json]
  norn [--node HOST:PORT] status [--json]
      the node's view of its cluster, and its counters
  norn [--node HOST:PORT] bucket list|show NAME [--json]
      the buckets, or every setting of one of them, by name or number

get, put and del also take --bucket NAME (or its number), and N may be a level: one, quorum,
all, local_quorum or each_quorum. put takes --ttl MS: the value expires after so long.
The node is HOST:PORT of its client port, by default 127.0.0.1:7001.
Exit codes: 0 done; 1 the key has no value; 2 wrong usage, or it failed (the text says how).
)";

constexpr int kExitDone = 0;
constexpr int kExitAbsent = 1;
constexpr int kExitFailed = 2;

struct Arguments {
  std::string node = "127.0.0.1:7001";
  std::vector<std::string> words;
  std::string context;
  std::string r;
  std::string w;
  std::string bucket;
  std::string ttl;
  bool json = false;
};

int Fail(const std::string& why) {
  std::cerr << "norn: " << why << "\n";
  return kExitFailed;
}

// One blocking connection to a node.
class Connection {
 public:
  explicit Connection(std::string node) : node_(std::move(node)), socket_(loop_) {}

  absl::Status Open() {
    const auto address = norn::net::ParseHostPort(node_);
    if (!address.ok()) return address.status();
    asio::error_code error;
    asio::ip::tcp::resolver resolver(loop_);
    const auto endpoints = resolver.resolve(address->host, std::to_string(address->port), error);
    if (!error) asio::connect(socket_, endpoints, error);
    if (!error) return absl::OkStatus();
    return absl::UnavailableError(absl::StrCat("cannot reach a node at ", node_, ": ",
                                               error.message(),
                                               "; is nornd running, and is this its client port?"));
  }

  absl::StatusOr<RespReply> Ask(const std::vector<std::string>& words) {
    std::string request = absl::StrCat("*", words.size(), "\r\n");
    for (const std::string& word : words) {
      absl::StrAppend(&request, "$", word.size(), "\r\n", word, "\r\n");
    }
    asio::error_code error;
    asio::write(socket_, asio::buffer(request), error);
    std::string received;
    while (!error) {
      RespReply reply;
      size_t consumed = 0;
      switch (norn::net::ParseRespReply(received, &reply, &consumed)) {
        case norn::net::RespReplyResult::kReply:
          return reply;
        case norn::net::RespReplyResult::kError:
          return absl::InternalError(absl::StrCat(node_, " does not speak RESP: wrong port?"));
        case norn::net::RespReplyResult::kNeedMore:
          break;
      }
      char chunk[16 << 10];
      const size_t n = socket_.read_some(asio::buffer(chunk), error);
      received.append(chunk, n);
    }
    return absl::UnavailableError(
        absl::StrCat("lost the connection to ", node_, ": ", error.message()));
  }

 private:
  const std::string node_;
  asio::io_context loop_;
  asio::ip::tcp::socket socket_;
};

int Get(Connection& node, const Arguments& arguments) {
  std::vector<std::string> words = {"KV.GET", arguments.words[1]};
  if (!arguments.r.empty()) words.insert(words.end(), {"R", arguments.r});
  if (!arguments.bucket.empty()) words.insert(words.end(), {"BUCKET", arguments.bucket});
  const auto reply = node.Ask(words);
  if (!reply.ok()) return Fail(std::string(reply.status().message()));
  if (reply->kind == RespReply::Kind::kError) return Fail(reply->text);
  if (reply->elements.size() != 5) return Fail("the node's reply to KV.GET is not understood");
  const RespReply& values = reply->elements[1];
  if (arguments.json) {
    std::cout << "{\"context\":" << JsonString(reply->elements[0].text) << ",\"values\":[";
    for (size_t i = 0; i < values.elements.size(); ++i) {
      std::cout << (i == 0 ? "" : ",") << JsonString(values.elements[i].text);
    }
    std::cout << "],\"replicas\":" << reply->elements[2].integer
              << ",\"zones\":" << reply->elements[3].integer
              << ",\"durable\":" << reply->elements[4].integer << "}\n";
  } else {
    for (const RespReply& value : values.elements) std::cout << value.text << "\n";
    if (values.elements.empty()) std::cerr << "norn: no value under this key\n";
    if (values.elements.size() > 1) {
      std::cerr << "norn: " << values.elements.size()
                << " siblings; to resolve them: norn put KEY VALUE --context "
                << reply->elements[0].text << "\n";
    }
  }
  return values.elements.empty() ? kExitAbsent : kExitDone;
}

int Write(Connection& node, const Arguments& arguments) {
  const bool put = arguments.words[0] == "put";
  std::vector<std::string> words = {put ? "KV.PUT" : "KV.DEL", arguments.words[1]};
  if (put) {
    std::string value = arguments.words[2];
    if (value == "-") value.assign(std::istreambuf_iterator<char>(std::cin), {});
    words.push_back(std::move(value));
  }
  if (!arguments.context.empty()) words.insert(words.end(), {"CONTEXT", arguments.context});
  if (!arguments.w.empty()) words.insert(words.end(), {"W", arguments.w});
  if (!arguments.bucket.empty()) words.insert(words.end(), {"BUCKET", arguments.bucket});
  if (!arguments.ttl.empty()) words.insert(words.end(), {"TTL", arguments.ttl});
  const auto reply = node.Ask(words);
  if (!reply.ok()) return Fail(std::string(reply.status().message()));
  if (reply->kind == RespReply::Kind::kError) return Fail(reply->text);
  if (reply->elements.size() != 4) return Fail("the node's reply is not understood");
  const int64_t replicas = reply->elements[1].integer;
  if (arguments.json) {
    std::cout << "{\"context\":" << JsonString(reply->elements[0].text)
              << ",\"replicas\":" << replicas << ",\"zones\":" << reply->elements[2].integer
              << ",\"durable\":" << reply->elements[3].integer << "}\n";
  } else {
    std::cout << (put ? "stored" : "deleted") << ", durable on " << replicas << " replicas\n";
  }
  return kExitDone;
}

// "name:a=1,b=2" of INFO, taken apart.
struct InfoLine {
  std::string section;
  std::string name;
  std::string value;
};

std::vector<InfoLine> ParseInfo(absl::string_view text) {
  std::vector<InfoLine> lines;
  std::string section;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    line = absl::StripSuffix(line, "\r");
    if (absl::ConsumePrefix(&line, "# ")) {
      section = std::string(line);
      continue;
    }
    const size_t colon = line.find(':');
    if (colon == absl::string_view::npos) continue;
    lines.push_back(
        {section, std::string(line.substr(0, colon)), std::string(line.substr(colon + 1))});
  }
  return lines;
}

int Status(Connection& node, const Arguments& arguments) {
  const auto reply = node.Ask({"INFO"});
  if (!reply.ok()) return Fail(std::string(reply.status().message()));
  if (reply->kind == RespReply::Kind::kError) return Fail(reply->text);
  const std::vector<InfoLine> lines = ParseInfo(reply->text);
  std::string section;
  if (arguments.json) std::cout << "{";
  for (const InfoLine& line : lines) {
    if (arguments.json) {
      if (line.section != section) {
        std::cout << (section.empty() ? "" : "},") << JsonString(line.section) << ":{";
      } else {
        std::cout << ",";
      }
      std::cout << JsonString(line.name) << ":" << JsonString(line.value);
    } else {
      if (line.section != section)
        std::cout << (section.empty() ? "" : "\n") << line.section << "\n";
      std::string value = line.value;
      for (char& c : value) {
        if (c == ',') c = ' ';
      }
      std::cout << absl::StrFormat("  %-32s %s\n", line.name, value);
    }
    section = line.section;
  }
  if (arguments.json) std::cout << (section.empty() ? "}\n" : "}}\n");
  return kExitDone;
}

// A bucket of INFO: its settings, name and value, in order.
using Settings = std::vector<std::pair<std::string, std::string>>;

std::string SettingOf(const Settings& settings, const std::string& name) {
  for (const auto& [setting, value] : settings) {
    if (setting == name) return value;
  }
  return std::string();
}

void PrintJson(const Settings& settings) {
  std::cout << "{";
  for (size_t i = 0; i < settings.size(); ++i) {
    std::cout << (i == 0 ? "" : ",") << JsonString(settings[i].first) << ":"
              << JsonString(settings[i].second);
  }
  std::cout << "}";
}

int Buckets(Connection& node, const Arguments& arguments) {
  const auto reply = node.Ask({"INFO", "buckets"});
  if (!reply.ok()) return Fail(std::string(reply.status().message()));
  if (reply->kind == RespReply::Kind::kError) return Fail(reply->text);
  const bool one = arguments.words[1] == "show";
  std::vector<Settings> shown;
  for (const InfoLine& line : ParseInfo(reply->text)) {
    Settings settings;
    for (const absl::string_view setting : absl::StrSplit(line.value, ',')) {
      settings.push_back(absl::StrSplit(setting, absl::MaxSplits('=', 1)));
    }
    const bool wanted = !one || SettingOf(settings, "name") == arguments.words[2] ||
                        SettingOf(settings, "id") == arguments.words[2];
    if (wanted) shown.push_back(std::move(settings));
  }
  if (one && shown.empty()) {
    return Fail("no bucket \"" + arguments.words[2] + "\"; see: norn bucket list");
  }
  if (arguments.json) {
    if (!one) std::cout << "[";
    for (size_t i = 0; i < shown.size(); ++i) {
      if (i > 0) std::cout << ",";
      PrintJson(shown[i]);
    }
    std::cout << (one ? "\n" : "]\n");
    return kExitDone;
  }
  if (one) {
    for (const auto& [name, value] : shown[0]) {
      std::cout << absl::StrFormat("%-20s %s\n", name, value);
    }
    return kExitDone;
  }
  constexpr const char* kColumns[] = {"id", "name", "n", "r", "w", "quorum", "conflicts", "ttl_ms"};
  for (const char* column : kColumns) std::cout << absl::StrFormat("%-12s", column);
  std::cout << "\n";
  for (const Settings& settings : shown) {
    for (const char* column : kColumns) {
      std::cout << absl::StrFormat("%-12s", SettingOf(settings, column));
    }
    std::cout << "\n";
  }
  return kExitDone;
}

// What is wrong, or "".
std::string ParseArguments(int argc, char** argv, Arguments* arguments) {
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    std::string* option = nullptr;
    if (word == "--node") option = &arguments->node;
    if (word == "--context") option = &arguments->context;
    if (word == "--r") option = &arguments->r;
    if (word == "--w") option = &arguments->w;
    if (word == "--bucket") option = &arguments->bucket;
    if (word == "--ttl") option = &arguments->ttl;
    if (word == "--json") {
      arguments->json = true;
    } else if (option != nullptr) {
      if (i + 1 == argc) return word + " needs a value";
      *option = argv[++i];
    } else if (word.size() > 2 && word.compare(0, 2, "--") == 0) {
      return "unknown option " + word;
    } else {
      arguments->words.push_back(word);
    }
  }
  return std::string();
}

int Main(int argc, char** argv) {
  Arguments arguments;
  const std::string wrong = ParseArguments(argc, argv, &arguments);
  if (!wrong.empty()) return Fail(wrong + "; see: norn help");
  if (arguments.words.empty()) {
    std::cerr << kUsage;
    return kExitFailed;
  }
  const std::string& command = arguments.words[0];
  if (command == "help") {
    std::cout << kUsage;
    return kExitDone;
  }
  size_t expected = 0;
  if (command == "status") expected = 1;
  if (command == "get" || command == "del") expected = 2;
  if (command == "put") expected = 3;
  if (command == "bucket") {
    const std::string what = arguments.words.size() > 1 ? arguments.words[1] : std::string();
    if (what != "list" && what != "show") return Fail("bucket list, or bucket show NAME");
    expected = what == "list" ? 2 : 3;
  }
  if (expected == 0) return Fail("unknown command \"" + command + "\"; see: norn help");
  if (arguments.words.size() != expected) {
    return Fail(absl::StrCat(command, " takes ", expected - 1, " arguments; see: norn help"));
  }
  Connection node(arguments.node);
  if (const absl::Status status = node.Open(); !status.ok()) {
    return Fail(std::string(status.message()));
  }
  if (command == "status") return Status(node, arguments);
  if (command == "bucket") return Buckets(node, arguments);
  return command == "get" ? Get(node, arguments) : Write(node, arguments);
}

}  // namespace

int main(int argc, char** argv) { return Main(argc, argv); }
