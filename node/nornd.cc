// nornd: a node of Norn. See kUsage, and nornd.example.textproto for the configuration.
//
// Exit codes: 0 done, or drained after SIGTERM or SIGINT; 1 failure at run time; 2 wrong usage or
// configuration, or a data directory or port that this node cannot have.

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "node/config.h"
#include "node/server.h"
#include "node/version.h"
#include "spdlog/sinks/ansicolor_sink.h"
#include "spdlog/spdlog.h"

namespace norn::node {
namespace {

constexpr int kExitOk = 0;
constexpr int kExitFailure = 1;
constexpr int kExitConfig = 2;

constexpr char kUsage[] =
    "usage: nornd --config FILE [--check-config]\n"
    "       nornd --version | --help\n"
    "\n"
    "Runs a node of Norn, a replicated key-value store, until SIGTERM or SIGINT; a second\n"
    "signal ends it at once. When clients are served it prints a line that begins with\n"
    "\"nornd ready\" on standard output; the log goes to standard error.\n"
    "\n"
    "  --config FILE    a textproto; nornd.example.textproto shows every setting\n"
    "  --check-config   says whether FILE is valid, and ends\n"
    "\n"
    "Exit codes: 0 done, or drained after a signal; 1 failure at run time; 2 wrong usage or\n"
    "configuration, or a data directory or port that this node cannot have.\n";

struct Arguments {
  std::string config;
  bool check_config = false;
  bool version = false;
  bool help = false;
  std::string error;
};

Arguments ParseArguments(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc && arguments.error.empty(); ++i) {
    const absl::string_view argument = argv[i];
    if (argument == "--config" && i + 1 < argc) {
      arguments.config = argv[++i];
    } else if (absl::StartsWith(argument, "--config=")) {
      arguments.config = std::string(argument.substr(argument.find('=') + 1));
    } else if (argument == "--check-config") {
      arguments.check_config = true;
    } else if (argument == "--version") {
      arguments.version = true;
    } else if (argument == "--help" || argument == "-h") {
      arguments.help = true;
    } else if (argument == "--config") {
      arguments.error = "--config needs a file";
    } else if (arguments.error.empty()) {  // the first is the one to mend
      arguments.error = absl::StrCat("unknown argument \"", argument, "\"");
    }
  }
  if (arguments.config.empty() && arguments.error.empty()) arguments.error = "--config is missing";
  return arguments;
}

spdlog::level::level_enum SpdlogLevel(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

void SetUpLog(const Config& config) {
  auto logger = std::make_shared<spdlog::logger>(
      "nornd", std::make_shared<spdlog::sinks::ansicolor_stderr_sink_st>());
  logger->set_level(SpdlogLevel(config.log_level));
  logger->set_pattern(absl::StrCat("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ node ", config.node.id, ": %v"));
  spdlog::set_default_logger(std::move(logger));
}

void WriteLog(Note::Level level, const std::string& line) {
  switch (level) {
    case Note::Level::kInfo:
      spdlog::info("{}", line);
      return;
    case Note::Level::kWarning:
      spdlog::warn("{}", line);
      return;
    case Note::Level::kError:
      spdlog::error("{}", line);
      return;
  }
}

int Fail(int exit_code, absl::string_view text) {
  std::fprintf(stderr, "nornd: %s\n", std::string(text).c_str());
  return exit_code;
}

int Serve(Config config, const std::string& config_path) {
  // A client that has gone is an error of its socket, not of the process.
  std::signal(SIGPIPE, SIG_IGN);
  SetUpLog(config);
  Server server(std::move(config), config_path, WriteLog);
  if (const absl::Status status = server.Open(); !status.ok()) {
    const bool set_up = absl::IsFailedPrecondition(status);
    return Fail(set_up ? kExitConfig : kExitFailure, status.message());
  }
  const absl::Status status = server.Run([&server] {
    std::printf("nornd ready: %s, pid %d\n", server.Describe().c_str(), static_cast<int>(getpid()));
    std::fflush(stdout);
    WriteLog(Note::Level::kInfo, absl::StrCat("nornd ", kVersion, " serves ", server.Describe()));
  });
  if (!status.ok()) return Fail(kExitFailure, status.message());
  WriteLog(Note::Level::kInfo, "drained: all that was acknowledged is durable");
  return kExitOk;
}

int Main(int argc, char** argv) {
  const Arguments arguments = ParseArguments(argc, argv);
  if (arguments.help) {
    std::fputs(kUsage, stdout);
    return kExitOk;
  }
  if (arguments.version) {
    std::printf("nornd %s\n", kVersion);
    return kExitOk;
  }
  if (!arguments.error.empty()) {
    std::fprintf(stderr, "nornd: %s\n%s", arguments.error.c_str(), kUsage);
    return kExitConfig;
  }
  absl::StatusOr<Config> config = LoadConfig(arguments.config);
  if (!config.ok()) return Fail(kExitConfig, config.status().message());
  if (arguments.check_config) {
    for (const std::string& warning : config->warnings) {
      std::fprintf(stderr, "nornd: warning: %s\n", warning.c_str());
    }
    std::printf("%s is valid: node %d of cluster \"%s\"\n", arguments.config.c_str(),
                static_cast<int>(config->node.id), config->cluster.name.c_str());
    return kExitOk;
  }
  return Serve(*std::move(config), arguments.config);
}

}  // namespace
}  // namespace norn::node

int main(int argc, char** argv) { return norn::node::Main(argc, argv); }
