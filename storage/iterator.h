// Walks entries in order of key; among entries of one key, the newest comes first.
//
// Iterators do no I/O of their own accord. One that lacks a block of a table says
// kStalled, and goes on once whoever drives it has supplied the block: a scan reads it at
// once, a compaction in a step of its own (job.h).

#ifndef NORN_STORAGE_ITERATOR_H_
#define NORN_STORAGE_ITERATOR_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "storage/entry_kind.h"

namespace norn::storage {

class Iterator {
 public:
  enum class State {
    kEnd,      // behind the last entry (and before the first Seek)
    kEntry,    // at an entry
    kStalled,  // a block is needed: supply it, then call Resume()
    kError,    // the entries that follow cannot be read: status() says why
  };

  virtual ~Iterator() = default;

  // Has the processor fetch what Seek(key) will look at: all of several iterators together,
  // rather than one after the other. Three stages, each of which wants the one's before it.
  virtual void PrepareSeek(absl::string_view /*key*/, int /*stage*/) {}
  // Goes to the first entry whose key is >= `key`.
  virtual void Seek(absl::string_view key) = 0;
  // From an entry to the one behind it.
  virtual void Next() = 0;
  // Tries again what stalled.
  virtual void Resume() = 0;

  State state() const { return state_; }

  // Of the entry; the views live until the iterator moves. A deletion's value is empty.
  virtual absl::string_view key() const = 0;
  virtual absl::string_view value() const = 0;
  virtual uint64_t sequence() const = 0;
  virtual EntryKind kind() const = 0;

  // kError: what is wrong, the first key that may be concerned, and the first one behind those.
  virtual absl::Status status() const { return absl::OkStatus(); }
  virtual absl::string_view error_from() const { return absl::string_view(); }
  virtual absl::string_view error_until() const { return absl::string_view(); }

 protected:
  State state_ = State::kEnd;
};

}  // namespace norn::storage

#endif  // NORN_STORAGE_ITERATOR_H_
