#include "sim/environment/file_place.h"

#include "absl/strings/str_cat.h"
#include "core/check.h"

namespace norn::sim {

int FilePlace::LineOf(const std::string& field, int index) const {
  const auto* const known = message_->FindFieldByName(field);
  CORE_CHECK(known != nullptr);
  if (tree_ == nullptr) return line_;
  const int line = tree_->GetLocation(known, known->is_repeated() ? index : -1).line;
  return line < 0 ? line_ : line + 1;
}

FilePlace FilePlace::In(const std::string& field, int index) const {
  const auto* const known = message_->FindFieldByName(field);
  CORE_CHECK(known != nullptr && known->message_type() != nullptr);
  const Tree* const inside =
      tree_ == nullptr ? nullptr
                       : tree_->GetTreeForNested(known, known->is_repeated() ? index : -1);
  return FilePlace(path_, inside, known->message_type(), LineOf(field, index));
}

absl::Status FilePlace::Wrong(const std::string& field, const std::string& why, int index) const {
  const int line = LineOf(field, index);
  return absl::InvalidArgumentError(
      absl::StrCat(path_, line > 0 ? absl::StrCat(":", line) : "", ": ", why));
}

absl::Status FilePlace::Wrong(const std::string& why) const {
  return absl::InvalidArgumentError(
      absl::StrCat(path_, line_ > 0 ? absl::StrCat(":", line_) : "", ": ", why));
}

}  // namespace norn::sim
