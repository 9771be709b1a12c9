#include "sim/trace.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/coding.h"
#include "xxhash.h"

namespace norn::sim {

namespace {

std::string Stamp(int64_t time_us, NodeId node) {
  const std::string who = node == kNoNode ? std::string("--") : absl::StrCat("n", node);
  return absl::StrFormat("%4d.%06d %-3s ", time_us / 1000000, time_us % 1000000, who);
}

}  // namespace

void Trace::Record(int64_t time_us, NodeId node, absl::string_view what,
                   absl::string_view content) {
  ++events_;
  char block[16 + 8 + 2 + 8 + 8];
  StoreFixed64(block, high_);
  StoreFixed64(block + 8, low_);
  StoreFixed64(block + 16, static_cast<uint64_t>(time_us));
  block[24] = static_cast<char>(node >> 8);
  block[25] = static_cast<char>(node & 0xff);
  StoreFixed64(block + 26, XXH3_64bits(what.data(), what.size()));
  StoreFixed64(block + 34, XXH3_64bits(content.data(), content.size()));
  const XXH128_hash_t next = XXH3_128bits(block, sizeof(block));
  high_ = next.high64;
  low_ = next.low64;
  if (view_.checkpoint_every != 0 && events_ % view_.checkpoint_every == 0) {
    view_.checkpoint(events_, Hash());
  }
  if (!prints() || events_ < view_.first) return;
  view_.printer(
      absl::StrCat(view_.numbered ? absl::StrCat("event ", events_, " ", Hash(), " ") : "",
                   Stamp(time_us, node), what, content.empty() ? "" : "  ",
                   content.empty() ? "" : absl::StrCat(content.size(), " bytes")));
}

void Trace::Explain(int64_t time_us, NodeId node, absl::string_view text) {
  if (prints()) view_.printer(absl::StrCat(Stamp(time_us, node), "  ", text));
}

std::string Trace::Hash() const { return absl::StrFormat("%016x%016x", high_, low_); }

}  // namespace norn::sim
