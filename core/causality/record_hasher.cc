#include "core/causality/record_hasher.h"

#include <string>

#include "core/causality/context_token.h"
#include "core/coding.h"
#include "xxhash.h"

namespace norn {

namespace {

constexpr uint64_t kPurpose = 0x6e6f726e2d747265ull;  // "norn-tre": apart from other uses
constexpr size_t kDigestBytes = 32;

}  // namespace

RecordHasher::RecordHasher(absl::string_view cluster, absl::string_view secret) {
  std::string material;
  AppendBytes(&material, cluster);
  AppendBytes(&material, secret);
  uint64_t count = 0;
  for (size_t at = 0; at < secret_.size(); at += 8) {
    StoreFixed64(secret_.data() + at, SipHash24(kPurpose, ++count, material));
  }
  for (uint64_t& key : keys_) key = SipHash24(kPurpose, ++count, material);
  fingerprint_ = SipHash24(kPurpose, ++count, material);
}

RecordHash RecordHasher::Hash(absl::string_view record_key, absl::string_view record) const {
  if (record.empty()) return RecordHash();
  const XXH128_hash_t of_key =
      XXH3_128bits_withSecret(record_key.data(), record_key.size(), secret_.data(), secret_.size());
  const XXH128_hash_t of_record =
      XXH3_128bits_withSecret(record.data(), record.size(), secret_.data(), secret_.size());
  char digest[kDigestBytes];
  StoreFixed64(digest, of_key.low64);
  StoreFixed64(digest + 8, of_key.high64);
  StoreFixed64(digest + 16, of_record.low64);
  StoreFixed64(digest + 24, of_record.high64);
  const absl::string_view bytes(digest, sizeof(digest));
  return RecordHash{SipHash24(keys_[0], keys_[1], bytes), SipHash24(keys_[2], keys_[3], bytes)};
}

}  // namespace norn
