#include "core/causality/context_token.h"

#include <utility>

#include "core/coding.h"

namespace norn {

namespace {

constexpr char kFormat = 0x01;
constexpr char kDatedFormat = 0x02;
constexpr size_t kHeaderBytes = 1 + 8;

uint64_t RotateLeft(uint64_t x, int bits) { return (x << bits) | (x >> (64 - bits)); }

struct SipState {
  uint64_t v0, v1, v2, v3;

  void Round() {
    v0 += v1;
    v1 = RotateLeft(v1, 13) ^ v0;
    v0 = RotateLeft(v0, 32);
    v2 += v3;
    v3 = RotateLeft(v3, 16) ^ v2;
    v0 += v3;
    v3 = RotateLeft(v3, 21) ^ v0;
    v2 += v1;
    v1 = RotateLeft(v1, 17) ^ v2;
    v2 = RotateLeft(v2, 32);
  }

  void Absorb(uint64_t word) {
    v3 ^= word;
    Round();
    Round();
    v0 ^= word;
  }
};

}  // namespace

uint64_t SipHash24(uint64_t key0, uint64_t key1, absl::string_view data) {
  SipState state{key0 ^ 0x736f6d6570736575ull, key1 ^ 0x646f72616e646f6dull,
                 key0 ^ 0x6c7967656e657261ull, key1 ^ 0x7465646279746573ull};
  size_t at = 0;
  for (; at + 8 <= data.size(); at += 8) state.Absorb(LoadFixed64(data.data() + at));
  uint64_t last = static_cast<uint64_t>(data.size()) << 56;
  for (size_t i = 0; at + i < data.size(); ++i) {
    last |= static_cast<uint64_t>(static_cast<unsigned char>(data[at + i])) << (8 * i);
  }
  state.Absorb(last);
  state.v2 ^= 0xff;
  for (int i = 0; i < 4; ++i) state.Round();
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

TokenSealer::TokenSealer(absl::string_view cluster, absl::string_view secret) {
  std::string material;
  AppendBytes(&material, cluster);
  AppendBytes(&material, secret);
  const auto derive = [&material](uint64_t purpose) {
    return SipHash24(0x6e6f726e2d746f6bull, purpose, material);
  };
  plain_ = {derive(0), derive(1)};
  dated_ = {derive(2), derive(3)};
}

uint64_t TokenSealer::Mac(char format, absl::string_view record_key, absl::string_view body) const {
  const MacKey& key = format == kDatedFormat ? dated_ : plain_;
  std::string input;
  input.reserve(record_key.size() + body.size() + 4);
  AppendBytes(&input, record_key);
  input.append(body.data(), body.size());
  return SipHash24(key.key0, key.key1, input);
}

std::string TokenSealer::Seal(absl::string_view record_key, const VersionVector& context,
                              int64_t wall_us) const {
  std::string token(kHeaderBytes, wall_us > 0 ? kDatedFormat : kFormat);
  if (wall_us > 0) AppendVarint(&token, static_cast<uint64_t>(wall_us));
  AppendVarint(&token, context.size());
  for (const VersionVector::Entry& entry : context.entries()) {
    AppendFixed64(&token, entry.incarnation);
    AppendVarint(&token, entry.counter);
  }
  StoreFixed64(&token[1], Mac(token[0], record_key, absl::string_view(token).substr(kHeaderBytes)));
  return token;
}

absl::StatusOr<VersionVector> TokenSealer::Open(absl::string_view record_key,
                                                absl::string_view token, int64_t* wall_us) const {
  if (token.size() <= kHeaderBytes || (token[0] != kFormat && token[0] != kDatedFormat)) {
    return absl::InvalidArgumentError(
        "context: not a context token: pass back exactly what a read or write returned");
  }
  const absl::string_view body = token.substr(kHeaderBytes);
  if (LoadFixed64(token.data() + 1) != Mac(token[0], record_key, body)) {
    return absl::InvalidArgumentError(
        "context: the token was not given out by this cluster for this key and bucket: read the "
        "key and use the context of that reply");
  }
  ByteReader reader(body);
  const int64_t dated_us = token[0] == kDatedFormat ? static_cast<int64_t>(reader.ReadVarint()) : 0;
  if (wall_us != nullptr) *wall_us = dated_us;
  VersionVector context;
  const uint64_t entries = reader.ReadVarintUpTo(body.size());
  for (uint64_t i = 0; i < entries; ++i) {
    const Incarnation incarnation = reader.ReadFixed64();
    const uint64_t counter = reader.ReadVarint();
    if (reader.failed() || !context.AppendSorted(incarnation, counter)) {
      return absl::InvalidArgumentError("context: the token is damaged: read the key again");
    }
  }
  if (!reader.Done()) return absl::InvalidArgumentError("context: the token is damaged");
  return context;
}

}  // namespace norn
