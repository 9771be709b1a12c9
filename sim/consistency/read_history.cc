#include "sim/consistency/read_history.h"

#include <fstream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace norn::consistency {

Format FormatOf(absl::string_view path) {
  return absl::EndsWith(path, ".edn") ? Format::kEdn : Format::kJsonl;
}

absl::StatusOr<History> ReadHistory(const std::string& path, Format format,
                                    BuilderOptions options) {
  std::ifstream in(path, std::ios::binary);
  if (!in || in.peek() == EOF) {
    return absl::NotFoundError(absl::StrCat(path, ": no such history, empty or unreadable"));
  }
  return format == Format::kEdn ? ReadEdn(in, path, std::move(options))
                                : ReadJsonl(in, path, std::move(options));
}

}  // namespace norn::consistency
