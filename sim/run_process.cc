#include "sim/run_process.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/check.h"

namespace norn::sim {

ErrorOutput::ErrorOutput() : fd_(memfd_create("norn-sim errors", MFD_CLOEXEC)) {
  CORE_CHECK(fd_ >= 0);
}

ErrorOutput::~ErrorOutput() { close(fd_); }

void ErrorOutput::TakeStandardError() const { dup2(fd_, STDERR_FILENO); }

std::string ErrorOutput::Text() const {
  std::string text;
  char chunk[4096];
  CORE_CHECK(lseek(fd_, 0, SEEK_SET) == 0);
  for (;;) {
    const ssize_t n = read(fd_, chunk, sizeof(chunk));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return text;
    text.append(chunk, static_cast<size_t>(n));
  }
}

std::string PropertyOfCrash(int wait_status, const std::string& errors) {
  static constexpr char kMark[] = "check failed: ";
  for (const absl::string_view line : absl::StrSplit(errors, '\n')) {
    const size_t at = line.find(kMark);
    if (at != absl::string_view::npos) return std::string(line.substr(at));
  }
  return WIFSIGNALED(wait_status) ? absl::StrCat("killed by signal ", WTERMSIG(wait_status), " (",
                                                 strsignal(WTERMSIG(wait_status)), ")")
                                  : absl::StrCat("ended with exit code ", WEXITSTATUS(wait_status));
}

std::string FingerprintOf(absl::string_view verdict, absl::string_view property) {
  const std::string text = absl::StrCat(verdict, ": ", property);
  std::string print;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool word_before = i > 0 && absl::ascii_isalnum(static_cast<unsigned char>(text[i - 1]));
    const bool names = !word_before && (text[i] == 'k' || text[i] == 'l' || text[i] == 'n');
    size_t digits = names ? i + 1 : i;
    while (digits < text.size() && absl::ascii_isdigit(static_cast<unsigned char>(text[digits]))) {
      ++digits;
    }
    if (digits > i + (names ? 1 : 0)) {
      print += '#';
      i = digits - 1;
    } else {
      print += text[i];
    }
  }
  return print;
}

}  // namespace norn::sim
