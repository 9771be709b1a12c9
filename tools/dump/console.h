// Where a command's words go, and what they add up to: the exit code.

#ifndef NORN_TOOLS_DUMP_CONSOLE_H_
#define NORN_TOOLS_DUMP_CONSOLE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <ostream>
#include <set>
#include <string>

#include "absl/strings/string_view.h"
#include "tools/dump/fact.h"

namespace norn::dump {

inline constexpr int kExitFine = 0;
inline constexpr int kExitDamage = 1;
inline constexpr int kExitUnusable = 2;  // wrong usage, or something could not be read

enum class Gravity {
  kNotice,      // worth knowing; nothing is wrong
  kDamage,      // what is there is not what was written
  kUnreadable,  // it could not be looked at: permissions, a later release's format
};

struct Finding {
  Gravity gravity = Gravity::kDamage;
  std::string file;
  std::optional<uint64_t> offset;  // nothing: of the file as a whole
  std::string what;
  std::string remedy;
};

using FindingSink = std::function<void(const Finding&)>;

// Not thread-safe.
class Console {
 public:
  // JSON goes to `out` as a whole. As text, what is unreadable goes to `err`.
  Console(std::ostream& out, std::ostream& err, bool json) : out_(out), err_(err), json_(json) {}

  void Print(const Fact& fact, int indent = 0);
  void Report(const Finding& finding);
  FindingSink Sink() {
    return [this](const Finding& finding) { Report(finding); };
  }

  // A line that the next one replaces, on a terminal only; "" clears it.
  void set_shows_progress(bool shows) { shows_progress_ = shows; }
  void Progress(absl::string_view line);

  bool json() const { return json_; }
  uint64_t damages() const { return damages_; }
  uint64_t unreadables() const { return unreadables_; }
  uint64_t notices() const { return notices_; }
  const std::set<std::string>& damaged_files() const { return damaged_files_; }

  // Damage counts for more than what could not be read.
  int ExitCode() const;

 private:
  std::ostream& out_;
  std::ostream& err_;
  const bool json_;
  bool shows_progress_ = false;
  size_t progress_columns_ = 0;
  uint64_t damages_ = 0;
  uint64_t unreadables_ = 0;
  uint64_t notices_ = 0;
  std::set<std::string> damaged_files_;
};

}  // namespace norn::dump

#endif  // NORN_TOOLS_DUMP_CONSOLE_H_
