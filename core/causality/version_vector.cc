#include "core/causality/version_vector.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/check.h"

namespace norn {

namespace {

bool Before(const VersionVector::Entry& entry, Incarnation incarnation) {
  return entry.incarnation < incarnation;
}

}  // namespace

std::string ToString(const Dot& dot) {
  return absl::StrCat(NodeOf(dot.incarnation), ".",
                      absl::Hex((dot.incarnation >> 24) & 0xffffff, absl::kZeroPad6), ":",
                      dot.counter);
}

uint64_t VersionVector::Get(Incarnation incarnation) const {
  const auto it = std::lower_bound(entries_.begin(), entries_.end(), incarnation, Before);
  return it != entries_.end() && it->incarnation == incarnation ? it->counter : 0;
}

bool VersionVector::CoversAll(const VersionVector& other) const {
  auto mine = entries_.begin();
  for (const Entry& theirs : other.entries_) {
    while (mine != entries_.end() && mine->incarnation < theirs.incarnation) ++mine;
    if (mine == entries_.end() || mine->incarnation != theirs.incarnation ||
        mine->counter < theirs.counter) {
      return false;
    }
  }
  return true;
}

void VersionVector::Add(const Dot& dot, int64_t minted_us) {
  CORE_CHECK(dot.counter > 0);
  const auto it = std::lower_bound(entries_.begin(), entries_.end(), dot.incarnation, Before);
  if (it != entries_.end() && it->incarnation == dot.incarnation) {
    it->counter = std::max(it->counter, dot.counter);
    it->minted_us = std::max(it->minted_us, minted_us);
  } else {
    entries_.insert(it, Entry{dot.incarnation, dot.counter, minted_us});
  }
}

void VersionVector::Join(const VersionVector& other) {
  if (other.entries_.empty()) return;
  std::vector<Entry> joined;
  joined.reserve(entries_.size() + other.entries_.size());
  auto a = entries_.begin();
  auto b = other.entries_.begin();
  while (a != entries_.end() || b != other.entries_.end()) {
    if (b == other.entries_.end() || (a != entries_.end() && a->incarnation < b->incarnation)) {
      joined.push_back(*a++);
    } else if (a == entries_.end() || b->incarnation < a->incarnation) {
      joined.push_back(*b++);
    } else {
      joined.push_back(Entry{a->incarnation, std::max(a->counter, b->counter),
                             std::max(a->minted_us, b->minted_us)});
      ++a;
      ++b;
    }
  }
  entries_ = std::move(joined);
}

void VersionVector::Drop(Incarnation incarnation) {
  const auto it = std::lower_bound(entries_.begin(), entries_.end(), incarnation, Before);
  if (it != entries_.end() && it->incarnation == incarnation) entries_.erase(it);
}

bool VersionVector::AppendSorted(Incarnation incarnation, uint64_t counter, int64_t minted_us) {
  if (counter == 0 || minted_us < 0) return false;
  if (!entries_.empty() && entries_.back().incarnation >= incarnation) return false;
  entries_.push_back(Entry{incarnation, counter, minted_us});
  return true;
}

}  // namespace norn
