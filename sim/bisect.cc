#include "sim/bisect.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iostream>
#include <map>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "core/check.h"
#include "sim/run_result.h"

namespace norn::sim {

namespace {

constexpr uint64_t kCheckpointEvery = 1'000;
constexpr size_t kCommonShown = 3;

struct Checkpoint {
  uint64_t events = 0;
  std::string hash;
};

// One event of a window, with all the lines that explain it.
struct Event {
  uint64_t number = 0;
  std::string hash;
  std::vector<std::string> lines;
};

std::string InWords(const BisectSide& side) {
  return absl::StrCat(side.program, " ", absl::StrJoin(side.words, " "));
}

absl::StatusOr<std::vector<Checkpoint>> Checkpoints(const BisectSide& side, const Teller& tell) {
  const auto lines = tell(side, {"--checkpoints", absl::StrCat(kCheckpointEvery)});
  if (!lines.ok()) return lines.status();
  std::vector<Checkpoint> checkpoints;
  for (const std::string& line : *lines) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ');
    Checkpoint checkpoint;
    if (words.size() != 2 || !absl::SimpleAtoi(words[0], &checkpoint.events)) continue;
    checkpoint.hash = words[1];
    checkpoints.push_back(std::move(checkpoint));
  }
  if (!checkpoints.empty()) return checkpoints;
  return absl::InvalidArgumentError(
      absl::StrCat(InWords(side), ": no hashes: a program that knows --checkpoints is needed"));
}

// Events `first` to `last`, by number. Lines that are no event belong to the one behind them.
absl::StatusOr<std::map<uint64_t, Event>> Window(const BisectSide& side, const Teller& tell,
                                                 uint64_t first, uint64_t last) {
  const auto lines = tell(side, {"--trace", "--events", absl::StrCat(first, "..", last)});
  if (!lines.ok()) return lines.status();
  std::map<uint64_t, Event> events;
  std::vector<std::string> pending;
  for (const std::string& line : *lines) {
    const std::vector<std::string> words = absl::StrSplit(line, absl::MaxSplits(' ', 3));
    Event event;
    if (words.size() < 4 || words[0] != "event" || !absl::SimpleAtoi(words[1], &event.number)) {
      pending.push_back(line);
      continue;
    }
    event.hash = words[2];
    event.lines = std::exchange(pending, {});
    event.lines.push_back(absl::StrCat("event ", words[1], " ", words[3]));
    events[event.number] = std::move(event);
  }
  return events;
}

std::string ThisProgram() {
  char path[4096];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof(path));
  CORE_CHECK(length > 0);
  return std::string(path, static_cast<size_t>(length));
}

int Refuse(const Subject& subject, absl::string_view why) {
  std::cerr << subject.program() << ": " << why << "\n";
  return kExitUsage;
}

void Print(const char* title, const std::vector<std::string>& lines) {
  std::cout << title << "\n";
  for (const std::string& line : lines) std::cout << "  " << line << "\n";
  if (lines.empty()) std::cout << "  (no more events)\n";
}

}  // namespace

absl::StatusOr<std::vector<std::string>> RunAndListen(const BisectSide& side,
                                                      const std::vector<std::string>& words) {
  std::vector<std::string> all = {side.program};
  all.insert(all.end(), side.words.begin(), side.words.end());
  all.insert(all.end(), words.begin(), words.end());
  std::vector<char*> arguments;
  for (std::string& word : all) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  int ends[2];
  CORE_CHECK(pipe2(ends, O_CLOEXEC) == 0);
  const pid_t pid = fork();
  CORE_CHECK(pid >= 0);
  if (pid == 0) {
    dup2(ends[1], STDOUT_FILENO);
    execv(arguments.front(), arguments.data());
    _exit(127);
  }
  close(ends[1]);
  std::string said;
  char chunk[1 << 16];
  for (ssize_t n = 1; n != 0;) {
    n = read(ends[0], chunk, sizeof(chunk));
    if (n > 0) said.append(chunk, static_cast<size_t>(n));
    CORE_CHECK(n >= 0 || errno == EINTR);
  }
  close(ends[0]);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : kExitCrashed;
  if (code == 127) {
    return absl::InvalidArgumentError(absl::StrCat(side.program, ": cannot be run"));
  }
  if (code == kExitUsage) {
    return absl::InvalidArgumentError(
        absl::StrCat(absl::StrJoin(all, " "), ": refused, as it says above"));
  }
  return std::vector<std::string>(absl::StrSplit(said, '\n', absl::SkipEmpty()));
}

absl::StatusOr<Parting> FindParting(const BisectSide& left, const BisectSide& right,
                                    const Teller& tell) {
  const auto left_points = Checkpoints(left, tell);
  if (!left_points.ok()) return left_points.status();
  const auto right_points = Checkpoints(right, tell);
  if (!right_points.ok()) return right_points.status();
  Parting parting;
  const size_t shared = std::min(left_points->size(), right_points->size());
  size_t equal = 0;
  for (; equal < shared; ++equal) {
    const Checkpoint& a = (*left_points)[equal];
    const Checkpoint& b = (*right_points)[equal];
    if (a.events != b.events || a.hash != b.hash) break;
  }
  parting.common_events = equal == 0 ? 0 : (*left_points)[equal - 1].events;
  if (equal == left_points->size() && equal == right_points->size()) return parting;
  parting.part = true;
  const uint64_t before = parting.common_events;
  const uint64_t first = before > kCommonShown ? before - kCommonShown + 1 : 1;
  const uint64_t last = before + kCheckpointEvery;
  const auto left_events = Window(left, tell, first, last);
  if (!left_events.ok()) return left_events.status();
  const auto right_events = Window(right, tell, first, last);
  if (!right_events.ok()) return right_events.status();
  for (uint64_t number = first; number <= last; ++number) {
    const auto a = left_events->find(number);
    const auto b = right_events->find(number);
    const bool both = a != left_events->end() && b != right_events->end();
    if (both && a->second.hash == b->second.hash) {
      parting.common_events = number;
      continue;
    }
    if (a != left_events->end()) parting.left = a->second.lines;
    if (b != right_events->end()) parting.right = b->second.lines;
    break;
  }
  const uint64_t shown = std::min<uint64_t>(parting.common_events, kCommonShown);
  for (uint64_t i = parting.common_events - shown + 1; i <= parting.common_events; ++i) {
    const auto a = left_events->find(i);
    if (a == left_events->end()) continue;
    parting.common.insert(parting.common.end(), a->second.lines.begin(), a->second.lines.end());
  }
  return parting;
}

int BisectCommand(const Subject& subject, const std::vector<std::string>& words) {
  const std::string self = ThisProgram();
  BisectSide left{self, {}};
  BisectSide right{self, {}};
  std::vector<std::string> cases;
  std::vector<std::string> run;
  std::string seed;
  std::string other_seed;
  bool other_program = false;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const bool valued = word == "--with" || word == "--seed" || word == "--other-seed";
    if (valued && i + 1 == words.size())
      return Refuse(subject, absl::StrCat(word, " needs a value"));
    if (word == "--with") {
      right.program = words[++i];
      other_program = true;
    } else if (word == "--seed") {
      seed = words[++i];
    } else if (word == "--other-seed") {
      other_seed = words[++i];
    } else if (!absl::StartsWith(word, "-") && seed.empty() && run.empty()) {
      cases.push_back(word);
    } else {
      run.push_back(word);  // the options of run, which refuses what it does not know
    }
  }
  const bool two = cases.size() == 2 || other_program || !other_seed.empty();
  if (!two || cases.size() > 2 || cases.empty() == seed.empty() ||
      (!other_seed.empty() && seed.empty()) || (!cases.empty() && !run.empty())) {
    return Refuse(
        subject,
        absl::StrCat("bisect what with what? Write: ", subject.program(),
                     " bisect CASE OTHER_CASE, or --seed S [options of run] with --with PROGRAM "
                     "or --other-seed T"));
  }
  if (seed.empty()) {
    left.words = {"replay", cases.front()};
    right.words = {"replay", cases.back()};
  } else {
    left.words = {"run", "--seed", seed};
    right.words = {"run", "--seed", other_seed.empty() ? seed : other_seed};
    for (BisectSide* const side : {&left, &right}) {
      side->words.insert(side->words.end(), run.begin(), run.end());
    }
  }
  const auto parting = FindParting(left, right, RunAndListen);
  if (!parting.ok()) return Refuse(subject, parting.status().message());
  if (!parting->part) {
    std::cout << "equal: " << parting->common_events << " events\n";
    return kExitValid;
  }
  std::cout << "the runs part after " << parting->common_events << " events\n";
  if (!parting->common.empty()) Print("the last that both have:", parting->common);
  Print(absl::StrCat("then ", InWords(left), ":").c_str(), parting->left);
  Print(absl::StrCat("but ", InWords(right), ":").c_str(), parting->right);
  return kExitViolated;
}

}  // namespace norn::sim
