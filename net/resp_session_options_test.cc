// The options of SET and of KV.GET, KV.PUT and KV.DEL: what reaches the node, what is refused.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/client.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/resp_session_fixture.h"
#include "net/resp_ticket.h"

namespace norn::net {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(RespOptionsTest, SetOptionsOfRedisAreRefused) {
  Fixture f;
  for (const char* name : {"NX", "xx", "GET"}) {
    EXPECT_THAT(f.Ask(absl::StrCat("SET k v ", name)), HasSubstr("cannot be atomic")) << name;
  }
  EXPECT_THAT(f.Ask("SET k v KEEPTTL"), HasSubstr("cannot be atomic"));
  EXPECT_THAT(f.Ask("SET k v EX 5 NX"), HasSubstr("cannot be atomic"));
  EXPECT_EQ(f.Ask("SET k v EX"), "-ERR syntax error\r\n");
  EXPECT_EQ(f.Ask("SET k v EX 5 6"), "-ERR syntax error\r\n");
  EXPECT_EQ(f.Ask("SET k v EX x"), "-ERR value is not an integer or out of range\r\n");
  for (const char* bad : {"EX 0", "px -1", "EX 3153600001", "EXAT 0", "PXAT 9223372036854775807"}) {
    EXPECT_EQ(f.Ask(absl::StrCat("SET k v ", bad)),
              "-ERR invalid expire time in 'set' command\r\n");
  }
  EXPECT_EQ(f.Ask("SETEX k 0 v"), "-ERR invalid expire time in 'setex' command\r\n");
  EXPECT_EQ(f.Ask("SET k v BOGUS"), "-ERR syntax error\r\n");
  EXPECT_TRUE(f.node.seen.empty());
}

TEST(RespOptionsTest, TimesToLiveReachTheNode) {
  Fixture f;
  for (const char* line : {"SET k v EX 5", "SET k v px 5", "SETEX k 5 v", "PSETEX k 5 v",
                           "KV.PUT k v TTL 5", "KV.PUT k v ttl NONE", "SET k v"}) {
    f.Ask(line);
  }
  const std::vector<int64_t> expected = {5'000'000, 5'000, 5'000'000, 5'000, 5'000, kTtlNever, 0};
  ASSERT_EQ(f.node.seen.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(f.node.seen[i].ttl_us, expected[i]) << i;
    EXPECT_EQ(f.node.seen[i].expires_us, 0) << i;
    EXPECT_EQ(f.node.seen[i].value, "v") << i;
  }
  f.Ask("SET k v EXAT 2000000000");
  EXPECT_EQ(f.node.seen.back().expires_us, 2'000'000'000'000'000);
  f.Ask("SET k v PXAT 2000000000000");
  EXPECT_EQ(f.node.seen.back().expires_us, 2'000'000'000'000'000);
}

TEST(RespOptionsTest, TtlTellsWhatIsLeft) {
  Fixture f;
  EXPECT_EQ(f.Ask("TTL k"), ":-2\r\n");
  f.Ask("SET k v");
  EXPECT_EQ(f.Ask("TTL k"), ":-1\r\n");
  EXPECT_EQ(f.Ask("PTTL k"), ":-1\r\n");
  f.node.ttl_us = 1'500'001;
  EXPECT_EQ(f.Ask("TTL k"), ":2\r\n");
  EXPECT_EQ(f.Ask("PTTL k"), ":1501\r\n");
}

TEST(RespOptionsTest, ABucketMayAnswerSiblingsWithAnError) {
  Fixture f;
  f.services.buckets[1].siblings_are_errors = true;
  f.Ask("SELECT 4");
  f.Ask("KV.PUT k a CONTEXT NONE");
  EXPECT_EQ(f.Ask("GET k"), "$1\r\na\r\n");
  f.Ask("KV.PUT k b CONTEXT NONE");
  EXPECT_THAT(f.Ask("GET k"), StartsWith("-ERR the key has 2 concurrent values: read them with"));
  EXPECT_THAT(f.Ask("MGET x k"), StartsWith("-ERR key 'k': the key has 2 concurrent values"));
  EXPECT_EQ(f.Ask("EXISTS k"), ":1\r\n");
  f.Ask("SELECT 0");
  f.Ask("KV.PUT k a CONTEXT NONE");
  f.Ask("KV.PUT k b CONTEXT NONE");
  EXPECT_EQ(f.Ask("GET k"), "$1\r\nb\r\n") << "another bucket answers the winner";
}

TEST(RespOptionsTest, KvContextReplacesExactlyWhatItCovers) {
  Fixture f;
  EXPECT_EQ(f.Ask("KV.GET k"), "*5\r\n$-1\r\n*0\r\n:2\r\n:1\r\n:2\r\n");
  EXPECT_EQ(f.Ask("KV.PUT k a"), "*4\r\n$3\r\ndDE\r\n:2\r\n:1\r\n:2\r\n");
  EXPECT_EQ(f.Ask("KV.PUT k b CONTEXT none"), "*4\r\n$-1\r\n:2\r\n:1\r\n:2\r\n");
  EXPECT_EQ(f.Ask("KV.GET k"), "*5\r\n$3\r\ndDI\r\n*2\r\n$1\r\nb\r\n$1\r\na\r\n:2\r\n:1\r\n:2\r\n");
  EXPECT_EQ(f.Ask("GET k"), "$1\r\nb\r\n");
  EXPECT_EQ(f.Ask("KV.PUT k c CONTEXT dDI"), "*4\r\n$3\r\ndDM\r\n:2\r\n:1\r\n:2\r\n");
  EXPECT_EQ(f.Ask("KV.DEL k CONTEXT dDI"), "*4\r\n$-1\r\n:2\r\n:1\r\n:2\r\n");  // a stale one
  EXPECT_EQ(f.Ask("KV.DEL k"), "*4\r\n$3\r\ndDU\r\n:2\r\n:1\r\n:2\r\n");
  EXPECT_EQ(f.Ask("GET k"), "$-1\r\n");
  f.Ask("HELLO 3");
  EXPECT_EQ(f.Ask("GET k"), "_\r\n");
  EXPECT_EQ(f.Ask("KV.GET k"),
            "%5\r\n$7\r\ncontext\r\n$3\r\ndDU\r\n$6\r\nvalues\r\n*0\r\n$8\r\nreplicas\r\n:2\r\n$"
            "5\r\nzones\r\n:1\r\n$7\r\ndurable\r\n:2\r\n");
  EXPECT_EQ(f.Ask("KV.PUT k d"),
            "%4\r\n$7\r\ncontext\r\n$3\r\ndDY\r\n$8\r\nreplicas\r\n:2\r\n$5\r\nzones\r\n:1\r\n$"
            "7\r\ndurable\r\n:2\r\n");
}

TEST(RespOptionsTest, KvOptionsReachTheNode) {
  Fixture f;
  f.Ask("KV.GET k r 3 TIMEOUT 50");
  f.Ask("KV.PUT k v W 2 context NONE");
  f.Ask("KV.DEL k");
  f.Ask("GET k");
  ASSERT_EQ(f.node.seen.size(), 4u);
  EXPECT_EQ(f.node.seen[0].quorum, 3);
  EXPECT_EQ(f.node.seen[0].timeout_us, 50'000);
  EXPECT_TRUE(f.node.seen[0].context_wanted);
  EXPECT_EQ(f.node.seen[1].quorum, 2);
  EXPECT_EQ(f.node.seen[1].base, ClientRequest::Base::kNothing);
  EXPECT_EQ(f.node.seen[2].kind, ClientRequest::Kind::kDelete);
  EXPECT_EQ(f.node.seen[2].base, ClientRequest::Base::kCurrent);
  EXPECT_FALSE(f.node.seen[3].context_wanted);
  const RespTicket ticket = UnpackTicket(f.node.seen[0].client);
  EXPECT_EQ(ticket.slot, kTicket.slot);
  EXPECT_EQ(ticket.generation, kTicket.generation);
}

TEST(RespOptionsTest, KvLevelsAndBucketsReachTheNode) {
  Fixture f;
  f.Ask("KV.GET k R local_quorum BUCKET carts");
  f.Ask("KV.PUT k v w EACH_QUORUM PW 2 bucket 4");
  f.Ask("KV.DEL k W all");
  f.Ask("KV.GET k R one PR 1");
  ASSERT_EQ(f.node.seen.size(), 4u);
  EXPECT_EQ(f.node.seen[0].level, Level::kLocalQuorum);
  EXPECT_EQ(f.node.seen[0].bucket, 4);
  EXPECT_EQ(f.node.seen[0].quorum, 0);
  EXPECT_EQ(f.node.seen[1].level, Level::kEachQuorum);
  EXPECT_EQ(f.node.seen[1].primary, 2);
  EXPECT_EQ(f.node.seen[1].bucket, 4);
  EXPECT_EQ(f.node.seen[2].level, Level::kAll);
  EXPECT_EQ(f.node.seen[2].bucket, 0);
  EXPECT_EQ(f.node.seen[3].level, Level::kOne);
  EXPECT_EQ(f.node.seen[3].primary, 1);
}

TEST(RespOptionsTest, KvOptionErrors) {
  Fixture f;
  EXPECT_EQ(f.Ask("KV.GET k BUCKET nowhere"),
            "-ERR no bucket nowhere; this cluster has 0 (default), 4 (carts)\r\n");
  EXPECT_EQ(f.Ask("KV.GET k R most"),
            "-ERR R must be a whole number from 1 to 65535, or a level: one, quorum, all, "
            "local_quorum or each_quorum\r\n");
  EXPECT_EQ(f.Ask("KV.PUT k v PW 0"), "-ERR PW must be a whole number from 1 to 65535\r\n");
  EXPECT_EQ(f.Ask("KV.PUT k v TTL 0"),
            "-ERR TTL must be a whole number from 1 to 3153600000000, or NONE\r\n");
  EXPECT_THAT(f.Ask("KV.DEL k TTL 5"), StartsWith("-ERR syntax error at 'TTL'"));
  EXPECT_EQ(
      f.Ask("KV.GET k W 1"),
      "-ERR syntax error at 'W': KV.GET takes R n|level, PR n, BUCKET name and TIMEOUT ms\r\n");
  EXPECT_THAT(f.Ask("KV.GET k R"), StartsWith("-ERR syntax error at 'R': KV.GET takes R n"));
  EXPECT_EQ(
      f.Ask("KV.PUT k v R 1"),
      "-ERR syntax error at 'R': KV.PUT takes CONTEXT token|NONE, TTL ms|NONE, W n|level, PW n, "
      "BUCKET name and TIMEOUT ms\r\n");
  EXPECT_THAT(f.Ask("KV.DEL k X 1"), StartsWith("-ERR syntax error at 'X': KV.DEL takes CONTEXT"));
  for (const char* bad : {"0", "-1", "x", "65536"}) {
    EXPECT_EQ(f.Ask(absl::StrCat("KV.GET k r ", bad)),
              "-ERR R must be a whole number from 1 to 65535, or a level: one, quorum, all, "
              "local_quorum or each_quorum\r\n");
  }
  EXPECT_EQ(f.Ask("KV.DEL k TIMEOUT 1000000001"),
            "-ERR TIMEOUT must be a whole number from 1 to 1000000000\r\n");
  const std::string bad_context =
      "-ERR the CONTEXT is not one that KV.GET, KV.PUT or KV.DEL returned\r\n";
  EXPECT_EQ(f.Ask("KV.PUT k v CONTEXT !"), bad_context);
  EXPECT_EQ(f.Ask("KV.PUT k v CONTEXT "), bad_context);
  EXPECT_EQ(f.Ask("KV.DEL k CONTEXT NON!"), bad_context);
  EXPECT_TRUE(f.node.seen.empty());
}

}  // namespace
}  // namespace norn::net
