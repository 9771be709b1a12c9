#include "benchmarks/engines/child.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <type_traits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "benchmarks/engines/process_usage.h"

namespace norn::benchmarks {
namespace {

// Messages are far smaller than a pipe's buffer, hence whole or absent.
template <typename Message>
bool Send(int fd, const Message& message) {
  static_assert(std::is_trivially_copyable_v<Message>);
  return write(fd, &message, sizeof(message)) == static_cast<ssize_t>(sizeof(message));
}

template <typename Message>
bool Receive(int fd, Message* message) {
  static_assert(std::is_trivially_copyable_v<Message>);
  return read(fd, message, sizeof(*message)) == static_cast<ssize_t>(sizeof(*message));
}

// What was forked earlier must not keep another child's pipe open, or its end is never noticed.
void CloseAllBut(int a, int b) {
  const auto low = static_cast<unsigned>(std::min(a, b));
  const auto high = static_cast<unsigned>(std::max(a, b));
  constexpr unsigned kFirst = STDERR_FILENO + 1;
  if (low > kFirst) (void)close_range(kFirst, low - 1, 0);
  if (high > low + 1) (void)close_range(low + 1, high - 1, 0);
  (void)close_range(high + 1, ~0u, 0);
}

[[noreturn]] void Serve(const Child::OpenEngine& open, const Bench& bench, const std::string& dir,
                        int commands, int results) {
  // Whatever ends the parent ends its children.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  signal(SIGINT, SIG_DFL);
  signal(SIGTERM, SIG_DFL);
  std::unique_ptr<EngineAdapter> engine = open ? open() : nullptr;
  Slice slice;
  while (Receive(commands, &slice)) {
    if (!Send(results, bench.Run(slice, engine.get(), dir))) break;
  }
  engine.reset();
  _exit(EXIT_SUCCESS);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Child>> Child::Fork(std::string name, const OpenEngine& open,
                                                   const Bench& bench, const std::string& dir) {
  int commands[2];
  int results[2];
  if (pipe(commands) != 0 || pipe(results) != 0) {
    return absl::InternalError(absl::StrCat("pipe: ", std::strerror(errno)));
  }
  const pid_t pid = fork();
  if (pid < 0) return absl::InternalError(absl::StrCat("fork: ", std::strerror(errno)));
  if (pid == 0) {
    CloseAllBut(commands[0], results[1]);
    Serve(open, bench, dir, commands[0], results[1]);
  }
  close(commands[0]);
  close(results[1]);
  return std::unique_ptr<Child>(new Child(std::move(name), pid, commands[1], results[0]));
}

Child::~Child() {
  if (pid_ == 0) return;
  kill(pid_, SIGKILL);
  (void)Wait();
}

absl::StatusOr<Measurement> Child::Run(const Slice& slice) {
  Measurement measured;
  if (Send(commands_, slice) && Receive(results_, &measured)) return measured;
  if (errno == EINTR) return absl::CancelledError("interrupted");
  const absl::Status ended = Wait();
  return absl::InternalError(
      absl::StrCat(name_, " failed in ", WorkloadName(slice.workload), ": ",
                   ended.ok() ? "its process ended early" : ended.message()));
}

absl::Status Child::Close() {
  close(commands_);
  commands_ = -1;
  return Wait();
}

absl::Status Child::Wait() {
  if (commands_ >= 0) close(commands_);
  close(results_);
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
  if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS) return absl::OkStatus();
  return absl::InternalError(
      WIFSIGNALED(status) ? absl::StrCat(name_, "'s process was ended by signal ", WTERMSIG(status))
                          : absl::StrCat(name_, "'s process gave up; its message is above"));
}

}  // namespace norn::benchmarks
