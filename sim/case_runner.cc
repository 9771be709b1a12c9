#include "sim/case_runner.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <utility>

#include "core/check.h"
#include "sim/case.h"
#include "sim/case_report.h"
#include "sim/run_process.h"

namespace norn::sim {

namespace {

using Clock = std::chrono::steady_clock;

void WriteAll(int fd, const std::string& bytes) {
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t n = write(fd, bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) _exit(kExitCrashed);  // nobody listens any more
    done += static_cast<size_t>(n);
  }
}

// One run in a process of its own.
class Child {
 public:
  Child(const Subject& subject, const RunOptions& options, Clock::time_point until)
      : until_(until) {
    int ends[2];
    CORE_CHECK(pipe2(ends, O_CLOEXEC) == 0);
    pid_ = fork();
    CORE_CHECK(pid_ >= 0);
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);  // a run that hangs does not outlive who asked for it
      close(ends[0]);
      errors_.TakeStandardError();
      Perform(subject, options, ends[1]);
    }
    close(ends[1]);
    fd_ = ends[0];
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ >= 0) Kill();
    close(fd_);
  }

  int fd() const { return fd_; }
  Clock::time_point until() const { return until_; }

  // Takes what is there; true once there will be no more.
  bool Take() {
    char chunk[1 << 16];
    const ssize_t n = read(fd_, chunk, sizeof(chunk));
    if (n < 0) return errno != EINTR;
    buffer_.append(chunk, static_cast<size_t>(n));
    return n == 0;
  }

  void Kill() {
    kill(pid_, SIGKILL);
    Wait();
  }

  CaseRun Finish(bool stopped) {
    if (stopped) {
      Kill();
    } else {
      Wait();
    }
    v1::CaseReport report;
    // What a killed process had begun to write may end in the midst of a piece: what came before
    // is taken all the same.
    const bool whole = report.ParseFromString(buffer_);
    CaseRun run;
    run.stopped = stopped;
    run.recorded = report.recorded();
    run.config = report.config();
    for (const v1::CaseEvent& event : report.event()) run.events.push_back(MakeRunEvent(event));
    run.history = std::move(*report.mutable_history());
    run.harms.assign(report.harm().begin(), report.harm().end());
    if (whole && report.has_exit_code() && !stopped) {
      run.exit_code = static_cast<int>(report.exit_code());
      run.hash = report.recorded().outcome().hash();
      run.verdict = report.recorded().outcome().verdict();
      run.property = report.recorded().outcome().property();
      run.witness = report.witness();
      return run;
    }
    run.exit_code = kExitCrashed;
    run.witness = errors_.Text();
    if (stopped) {
      run.verdict = "STOPPED";
      run.property = kStoppedProperty;
    } else {
      run.verdict = "CRASHED";
      run.property = PropertyOfCrash(status_, run.witness);
    }
    run.recorded.mutable_outcome()->set_verdict(run.verdict);
    run.recorded.mutable_outcome()->set_property(run.property);
    return run;
  }

 private:
  [[noreturn]] static void Perform(const Subject& subject, const RunOptions& options, int fd) {
    RunOptions own = options;
    own.recorder = [fd](const v1::CaseReport& piece) { WriteAll(fd, piece.SerializeAsString()); };
    subject.Run(own, nullptr);
    _exit(0);
  }

  void Wait() {
    while (waitpid(pid_, &status_, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
  }

  const Clock::time_point until_;
  pid_t pid_ = -1;
  int fd_ = -1;
  ErrorOutput errors_;
  int status_ = 0;
  std::string buffer_;
};

// Waits until one of the children is through, or over its limit; null ones are passed over.
// Returns its place and what became of it.
std::pair<size_t, CaseRun> AwaitOne(const std::vector<std::unique_ptr<Child>>& children) {
  for (;;) {
    std::vector<pollfd> fds;
    std::vector<size_t> places;
    Clock::time_point first = Clock::time_point::max();
    for (size_t i = 0; i < children.size(); ++i) {
      if (children[i] == nullptr) continue;
      fds.push_back({children[i]->fd(), POLLIN, 0});
      places.push_back(i);
      first = std::min(first, children[i]->until());
    }
    CORE_CHECK(!fds.empty());
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(first - Clock::now()).count();
    const int ready =
        poll(fds.data(), fds.size(), static_cast<int>(std::clamp<int64_t>(left, 0, 60'000)));
    CORE_CHECK(ready >= 0 || errno == EINTR);
    for (size_t i = 0; i < fds.size(); ++i) {
      Child& child = *children[places[i]];
      if (ready > 0 && fds[i].revents != 0) {
        if (child.Take()) return {places[i], child.Finish(/*stopped=*/false)};
      } else if (Clock::now() >= child.until()) {
        return {places[i], child.Finish(/*stopped=*/true)};
      }
    }
  }
}

}  // namespace

std::string CaseRun::Fingerprint() const { return FingerprintOf(verdict, property); }

CaseRun CaseRunner::Run(const RunOptions& options) {
  ++runs_;
  std::vector<std::unique_ptr<Child>> children;
  children.push_back(std::make_unique<Child>(
      subject_, options, Clock::now() + std::chrono::milliseconds(options_.limit_ms)));
  return AwaitOne(children).second;
}

std::optional<size_t> CaseRunner::First(size_t count,
                                        const std::function<v1::Case(size_t)>& candidate,
                                        const std::function<bool(const CaseRun& run)>& wanted,
                                        const std::function<bool()>& enough, CaseRun* run) {
  std::vector<std::unique_ptr<Child>> children(count);
  size_t under_way = 0;
  size_t next = 0;
  size_t best = count;
  CaseRun best_run;
  for (;;) {
    while (under_way < static_cast<size_t>(options_.jobs) && next < best && !enough()) {
      const auto made = MakeCase(subject_, candidate(next));
      if (made.ok()) {
        RunOptions options;
        options.replay = *made;
        options.record_history = options_.record_history;
        children[next] = std::make_unique<Child>(
            subject_, options, Clock::now() + std::chrono::milliseconds(options_.limit_ms));
        ++under_way;
        ++runs_;
      }
      ++next;
    }
    if (under_way == 0) break;
    auto [place, ended] = AwaitOne(children);
    children[place].reset();
    --under_way;
    if (place > best || !wanted(ended)) continue;
    best = place;
    best_run = std::move(ended);
    for (size_t i = best + 1; i < children.size(); ++i) {  // whatever they come to
      if (children[i] == nullptr) continue;
      children[i].reset();
      --under_way;
    }
  }
  if (best == count) return std::nullopt;
  if (run != nullptr) *run = std::move(best_run);
  return best;
}

}  // namespace norn::sim
