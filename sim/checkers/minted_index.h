// The minted versions of a run by key and by value: the true causal history, as the
// simulator saw it happen, against which reads and final states are held.

#ifndef NORN_SIM_CHECKERS_MINTED_INDEX_H_
#define NORN_SIM_CHECKERS_MINTED_INDEX_H_

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/causality/version_vector.h"
#include "sim/history.h"

namespace norn::sim {

class MintedIndex {
 public:
  explicit MintedIndex(const History& history) {
    for (const MintedVersion& version : history.minted) {
      by_key_[version.key].push_back(&version);
      if (!version.tombstone) by_value_[version.value].push_back(&version);
    }
    // In a run they are in order already.
    for (auto& [key, versions] : by_key_) {
      std::stable_sort(versions.begin(), versions.end(), Earlier);
    }
    for (const Burial& burial : history.burials) {
      buried_.insert(burial.versions.begin(), burial.versions.end());
    }
  }

  // In the order in which they were minted.
  const std::vector<const MintedVersion*>& OfKey(const std::string& key) const {
    const auto it = by_key_.find(key);
    return it == by_key_.end() ? none_ : it->second;
  }

  // Usually one. A mint that was refused is tried again under another dot.
  const std::vector<const MintedVersion*>& OfValue(const std::string& value) const {
    const auto it = by_value_.find(value);
    return it == by_value_.end() ? none_ : it->second;
  }

  // Whether it was removed when it was a tombstone, or could have expired.
  bool Buried(const MintedVersion& version) const {
    return (version.tombstone || version.expires_us != 0) && buried_.count(version.dot) != 0;
  }

  // Whether, for someone who has seen `context`, `version` was rightly replaced: by another
  // version that `context` covers and that was put in its place. A version whose mint was
  // never seen to end may have been put in place of anything.
  bool Replaced(const MintedVersion& version, const VersionVector& context) const {
    const auto& versions = OfKey(version.key);
    // What was minted before cannot have seen it.
    const auto from = std::lower_bound(versions.begin(), versions.end(), &version, Earlier);
    return std::any_of(from, versions.end(), [&](const MintedVersion* other) {
      return other->dot != version.dot && !other->refused && context.Covers(other->dot) &&
             (!other->base_known || other->base.Covers(version.dot));
    });
  }

 private:
  static bool Earlier(const MintedVersion* a, const MintedVersion* b) {
    return a->minted_us < b->minted_us;
  }

  std::map<std::string, std::vector<const MintedVersion*>> by_key_;
  std::map<std::string, std::vector<const MintedVersion*>> by_value_;
  std::set<Dot> buried_;
  std::vector<const MintedVersion*> none_;
};

}  // namespace norn::sim

#endif  // NORN_SIM_CHECKERS_MINTED_INDEX_H_
