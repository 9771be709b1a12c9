// Stands, as an error, where a quarantine is: so that a walk over a merge of memtables and tables
// stops there, whatever they have to say about those keys.

#ifndef NORN_STORAGE_QUARANTINE_ITERATOR_H_
#define NORN_STORAGE_QUARANTINE_ITERATOR_H_

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/check.h"
#include "storage/iterator.h"
#include "storage/quarantine.h"

namespace norn::storage {

class QuarantineIterator : public Iterator {
 public:
  // The set outlives the iterator.
  explicit QuarantineIterator(const QuarantineSet* quarantine) : quarantine_(quarantine) {}

  void Seek(absl::string_view key) override {
    at_ = quarantine_->FirstBehind(key);
    state_ = at_ == nullptr ? State::kEnd : State::kError;
    if (at_ != nullptr) from_ = std::string(std::max(key, absl::string_view(at_->from)));
  }
  // It has no entries: whoever meets it goes on behind it with Seek().
  void Next() override { CORE_CHECK(false); }
  void Resume() override {}

  absl::string_view key() const override { return absl::string_view(); }
  absl::string_view value() const override { return absl::string_view(); }
  uint64_t sequence() const override { return 0; }
  EntryKind kind() const override { return EntryKind::kValue; }
  absl::Status status() const override { return QuarantineError(*at_); }
  absl::string_view error_from() const override { return from_; }
  absl::string_view error_until() const override { return at_->until; }

 private:
  const QuarantineSet* quarantine_;
  const Quarantine* at_ = nullptr;
  std::string from_;
};

}  // namespace norn::storage

#endif  // NORN_STORAGE_QUARANTINE_ITERATOR_H_
