// What conflict policies and times to live promise.

#include <map>
#include <set>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "sim/checkers/checkers.h"
#include "sim/checkers/healed.h"
#include "sim/checkers/minted_index.h"

namespace norn::sim {

namespace {

using Kind = ClientRequest::Kind;

std::string Dated(const Dot& dot, int64_t wall_us) {
  return absl::StrCat(ToString(dot), " at ", wall_us);
}

bool SeenBuried(const History& history, const std::string& key, const Dot& dot) {
  return std::any_of(history.burials.begin(), history.burials.end(), [&](const Burial& burial) {
    return burial.key == key && burial.context.Covers(dot);
  });
}

}  // namespace

std::optional<Violation> CheckLastWriterWon(const History& history, const FinalState& state) {
  const MintedIndex index(history);
  for (const Operation& put : history.operations) {
    if (put.kind != Kind::kPut || !put.ok() || BucketOfKey(put.key) != kLwwBucket) continue;
    const Healed healed(state, history, put.key);
    for (const MintedVersion* minted : index.OfValue(put.value)) {
      if (!minted->succeeded || minted->wall_us == 0) continue;
      if (SeenBuried(history, put.key, minted->dot)) continue;  // what came later need not win
      if (healed.alive.size() != 1) {
        return Violation{
            "a last-writer-wins key has one version",
            absl::StrCat(Describe(put), "\nin the end ", put.key, " has ", healed.alive.size())};
      }
      const auto& [dot, winner] = *healed.alive.begin();
      if (std::tie(winner.wall_us, dot) >= std::tie(minted->wall_us, minted->dot)) continue;
      return Violation{"the last writer wins: the greatest (timestamp, dot) stays",
                       absl::StrCat(Describe(put), ", as ", Dated(minted->dot, minted->wall_us),
                                    "\nin the end stays ", Dated(dot, winner.wall_us))};
    }
  }
  return std::nullopt;
}

std::optional<Violation> CheckExpiry(const History& history) {
  const MintedIndex index(history);
  for (const Operation& read : history.operations) {
    if (read.kind != Kind::kGet || !read.ok()) continue;
    for (const std::string& value : read.read) {
      for (const MintedVersion* version : index.OfValue(value)) {
        if (version->expires_us == 0 || version->refused) continue;
        if (WallOf(read.invoked_us) < version->expires_us) continue;
        return Violation{
            "an expired value is not served",
            absl::StrCat(Describe(read), "\nits ", ToString(version->dot), " expired at ",
                         (version->expires_us - WallOf(0)) / 1000, " ms")};
      }
    }
  }
  return std::nullopt;
}

std::optional<Violation> CheckReplacedStaysReplaced(const History& history) {
  const MintedIndex index(history);
  for (const Operation& read : history.operations) {
    if (read.kind != Kind::kGet || !read.ok()) continue;
    for (const std::string& value : read.read) {
      const auto& versions = index.OfValue(value);
      if (versions.size() != 1) continue;  // which of them was read is not told
      for (const MintedVersion* other : index.OfKey(read.key)) {
        const bool replaced = other->succeeded && other->base_known &&
                              other->base.Covers(versions[0]->dot) &&
                              !(other->dot == versions[0]->dot) && read.context.Covers(other->dot);
        if (!replaced || BucketOfKey(read.key) == kLwwBucket) continue;
        if (other->minted_us < versions[0]->minted_us) continue;  // it cannot have seen it
        return Violation{
            "what a version replaced is not served beside it, or when it expires",
            absl::StrCat(Describe(read), "\nhas seen ", ToString(other->dot), ", minted at ",
                         other->minted_us / 1000, " ms in place of ", ToString(versions[0]->dot))};
      }
    }
  }
  return std::nullopt;
}

}  // namespace norn::sim
