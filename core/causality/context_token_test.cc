#include "core/causality/context_token.h"

#include <cstdint>
#include <string>

#include "core/coding.h"
#include "gtest/gtest.h"
#include "rapidcheck/gtest.h"

namespace norn {
namespace {

// The reference implementation's vectors: key 00 01 .. 0f, input 00 01 .. of length 0 to 63.
constexpr uint64_t kSipHash24[64] = {
    0x726fdb47dd0e0e31ull, 0x74f839c593dc67fdull, 0x0d6c8009d9a94f5aull, 0x85676696d7fb7e2dull,
    0xcf2794e0277187b7ull, 0x18765564cd99a68dull, 0xcbc9466e58fee3ceull, 0xab0200f58b01d137ull,
    0x93f5f5799a932462ull, 0x9e0082df0ba9e4b0ull, 0x7a5dbbc594ddb9f3ull, 0xf4b32f46226bada7ull,
    0x751e8fbc860ee5fbull, 0x14ea5627c0843d90ull, 0xf723ca908e7af2eeull, 0xa129ca6149be45e5ull,
    0x3f2acc7f57c29bdbull, 0x699ae9f52cbe4794ull, 0x4bc1b3f0968dd39cull, 0xbb6dc91da77961bdull,
    0xbed65cf21aa2ee98ull, 0xd0f2cbb02e3b67c7ull, 0x93536795e3a33e88ull, 0xa80c038ccd5ccec8ull,
    0xb8ad50c6f649af94ull, 0xbce192de8a85b8eaull, 0x17d835b85bbb15f3ull, 0x2f2e6163076bcfadull,
    0xde4daaaca71dc9a5ull, 0xa6a2506687956571ull, 0xad87a3535c49ef28ull, 0x32d892fad841c342ull,
    0x7127512f72f27cceull, 0xa7f32346f95978e3ull, 0x12e0b01abb051238ull, 0x15e034d40fa197aeull,
    0x314dffbe0815a3b4ull, 0x027990f029623981ull, 0xcadcd4e59ef40c4dull, 0x9abfd8766a33735cull,
    0x0e3ea96b5304a7d0ull, 0xad0c42d6fc585992ull, 0x187306c89bc215a9ull, 0xd4a60abcf3792b95ull,
    0xf935451de4f21df2ull, 0xa9538f0419755787ull, 0xdb9acddff56ca510ull, 0xd06c98cd5c0975ebull,
    0xe612a3cb9ecba951ull, 0xc766e62cfcadaf96ull, 0xee64435a9752fe72ull, 0xa192d576b245165aull,
    0x0a8787bf8ecb74b2ull, 0x81b3e73d20b49b6full, 0x7fa8220ba3b2eceaull, 0x245731c13ca42499ull,
    0xb78dbfaf3a8d83bdull, 0xea1ad565322a1a0bull, 0x60e61c23a3795013ull, 0x6606d7e446282b93ull,
    0x6ca4ecb15c5f91e1ull, 0x9f626da15c9625f3ull, 0xe51b38608ef25f57ull, 0x958a324ceb064572ull,
};

TEST(SipHashTest, OfficialVectors) {
  std::string key;
  for (int i = 0; i < 16; ++i) key.push_back(static_cast<char>(i));
  const uint64_t key0 = LoadFixed64(key.data());
  const uint64_t key1 = LoadFixed64(key.data() + 8);
  std::string input;
  for (size_t length = 0; length < 64; ++length) {
    EXPECT_EQ(SipHash24(key0, key1, input), kSipHash24[length]) << "length " << length;
    input.push_back(static_cast<char>(length));
  }
}

VersionVector DrawContext() {
  VersionVector context;
  const int entries = *rc::gen::inRange(0, 6);
  for (int i = 0; i < entries; ++i) {
    context.Add({*rc::gen::arbitrary<Incarnation>(), 1 + *rc::gen::inRange<uint64_t>(0, 1 << 20)});
  }
  return context;
}

RC_GTEST_PROP(ContextTokenProperty, OpensWhatItSealed, (const std::string& key)) {
  const TokenSealer sealer("cluster", "secret");
  const VersionVector context = DrawContext();
  const auto opened = sealer.Open(key, sealer.Seal(key, context));
  RC_ASSERT(opened.ok());
  RC_ASSERT(*opened == context);
}

RC_GTEST_PROP(ContextTokenProperty, RefusesEveryFlippedBitAndEveryCut, ()) {
  const TokenSealer sealer("cluster", "secret");
  const std::string token = sealer.Seal("key", DrawContext());
  for (size_t bit = 0; bit < 8 * token.size(); ++bit) {
    std::string flipped = token;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    RC_ASSERT(absl::IsInvalidArgument(sealer.Open("key", flipped).status()));
  }
  for (size_t length = 0; length < token.size(); ++length) {
    RC_ASSERT(!sealer.Open("key", token.substr(0, length)).ok());
  }
  RC_ASSERT(!sealer.Open("key", token + '\0').ok());
}

TEST(ContextTokenTest, BelongsToOneKeyBucketAndCluster) {
  const TokenSealer sealer("cluster", "secret");
  VersionVector context;
  context.Add({MakeIncarnation(1, 7), 3});
  const std::string token = sealer.Seal(MakeRecordKey(1, "key"), context);
  EXPECT_TRUE(sealer.Open(MakeRecordKey(1, "key"), token).ok());
  EXPECT_TRUE(TokenSealer("cluster", "secret").Open(MakeRecordKey(1, "key"), token).ok());
  EXPECT_FALSE(sealer.Open(MakeRecordKey(1, "kez"), token).ok()) << "another key";
  EXPECT_FALSE(sealer.Open(MakeRecordKey(1, ""), token).ok()) << "no key";
  EXPECT_FALSE(sealer.Open(MakeRecordKey(2, "key"), token).ok()) << "another bucket";
  EXPECT_FALSE(TokenSealer("clusteR", "secret").Open(MakeRecordKey(1, "key"), token).ok());
  EXPECT_FALSE(TokenSealer("cluster", "Secret").Open(MakeRecordKey(1, "key"), token).ok());
  // What lies where between cluster and secret matters, too.
  EXPECT_FALSE(TokenSealer("clusters", "ecret").Open(MakeRecordKey(1, "key"), token).ok());
}

TEST(ContextTokenTest, ItsBytesStay) {
  // Clients keep tokens across upgrades of the nodes.
  VersionVector context;
  context.Add({MakeIncarnation(1, 7), 300});
  const std::string token = TokenSealer("cluster", "secret").Seal("key", context);
  ASSERT_EQ(token.size(), 1u + 8 + 1 + 8 + 2);
  EXPECT_EQ(token[0], 0x01);
  EXPECT_EQ(LoadFixed64(token.data() + 1), 16601480465292052538ull);
  EXPECT_EQ(token.substr(9), std::string("\x01\x07\0\0\0\0\0\x01\0\xac\x02", 11));
}

TEST(ContextTokenTest, SaysWhatIsWrong) {
  const TokenSealer sealer("cluster", "secret");
  EXPECT_NE(sealer.Open("key", "").status().message().find("not a context token"),
            absl::string_view::npos);
  EXPECT_NE(sealer.Open("key", "hello, I am a token").status().message().find("not a context"),
            absl::string_view::npos);
  EXPECT_NE(sealer.Open("key", sealer.Seal("other", {})).status().message().find("read the key"),
            absl::string_view::npos);
}

}  // namespace
}  // namespace norn
