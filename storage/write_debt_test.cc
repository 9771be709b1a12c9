#include "storage/write_debt.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "storage/delayed_replies.h"
#include "storage/record_storage.h"
#include "storage/testing/engine_fixture.h"

namespace norn::storage {
namespace {

WriteBacklog Nothing() {
  return {.memtable_bytes = 0,
          .memtable_bytes_max = 1000,
          .immutable_memtables = 0,
          .immutable_memtables_max = 2,
          .level0_tables = 0,
          .level0_tables_max = 20,
          .level0_tables_crowd = 30};
}

TEST(WriteDebtTest, GrowsWithTheLastFreeMemtableAndWithLevel0) {
  WriteBacklog backlog = Nothing();
  EXPECT_EQ(WriteDebt(backlog), 0);
  backlog.memtable_bytes = 1000;
  backlog.immutable_memtables = 1;
  backlog.level0_tables = 20;
  EXPECT_EQ(WriteDebt(backlog), 0) << "a memtable is free, and level 0 at its limit";
  backlog.immutable_memtables = 2;
  EXPECT_EQ(WriteDebt(backlog), 1000);
  backlog.memtable_bytes = 750;
  EXPECT_EQ(WriteDebt(backlog), 500);
  backlog.memtable_bytes = 500;
  EXPECT_EQ(WriteDebt(backlog), 0);
  backlog.level0_tables = 21;
  EXPECT_EQ(WriteDebt(backlog), 100);
  backlog.level0_tables = 40;
  EXPECT_EQ(WriteDebt(backlog), 1000);
}

TEST(WriteDebtTest, ADelayIsSmallAtFirstAndTenMillisecondsAtMost) {
  EXPECT_EQ(PutDelayUs(0), 0);
  EXPECT_EQ(PutDelayUs(100), 100);
  EXPECT_EQ(PutDelayUs(500), 2500);
  EXPECT_EQ(PutDelayUs(kWriteDebtMax), 10'000);
}

TEST(DelayedRepliesTest, LeaveInOrderWhenTheyAreDue) {
  DelayedReplies delayed;
  norn::StoreReply reply;
  EXPECT_EQ(delayed.NextDue(), kNever);
  EXPECT_FALSE(delayed.Pop(1'000'000, &reply));
  reply.ticket = 1;
  delayed.Add(500, norn::StoreReply(reply));
  reply.ticket = 2;
  delayed.Add(300, norn::StoreReply(reply));
  EXPECT_EQ(delayed.NextDue(), 500);
  EXPECT_FALSE(delayed.Pop(499, &reply));
  ASSERT_TRUE(delayed.Pop(500, &reply));
  EXPECT_EQ(reply.ticket, 1u);
  ASSERT_TRUE(delayed.Pop(500, &reply)) << "it waits for those before it, and no longer";
  EXPECT_EQ(reply.ticket, 2u);
  EXPECT_EQ(delayed.NextDue(), kNever);
}

class RecordStorageDebtTest : public EngineTest {
 protected:
  RecordStorageDebtTest() { options_.memtable_bytes = 4000; }

  static StoreUpdate Put(StoreTicket ticket) {
    MintOp mint;
    mint.dot = {.incarnation = 1, .counter = ticket};
    mint.value = std::string(200, 'v');
    mint.siblings_max = 10;
    return {.ticket = ticket, .partition = 1, .key = absl::StrCat("key", ticket), .op = mint};
  }

  // What leaves at `now_us`.
  static std::vector<StoreReply> Replies(RecordStorage* records, int64_t now_us) {
    std::vector<StoreReply> replies;
    records->Pump(now_us);
    for (StoreReply reply; records->PopReply(&reply);) replies.push_back(std::move(reply));
    return replies;
  }
};

TEST_F(RecordStorageDebtTest, PutsAreAnsweredLaterAndLaterBeforeTheyAreRefused) {
  ASSERT_TRUE(Open().ok());
  RecordStorage records(*engine_, RecordHasher("cluster", "secret"));
  int64_t now_us = 1'000'000;
  std::vector<int64_t> delays;
  absl::Status refusal;
  for (StoreTicket ticket = 1; refusal.ok() && ticket < 1000; ++ticket) {
    records.Submit(Put(ticket));
    // Groups are written, but nothing is flushed.
    while (RunJob(engine_.get(), Lane::kLog)) {
    }
    std::vector<StoreReply> replies = Replies(&records, now_us);
    int64_t delay_us = 0;
    if (replies.empty()) {
      delay_us = records.NextDue() - now_us;
      EXPECT_TRUE(Replies(&records, now_us + delay_us - 1).empty());
      now_us += delay_us;
      replies = Replies(&records, now_us);
    }
    ASSERT_EQ(replies.size(), 1u);
    EXPECT_EQ(replies[0].ticket, ticket);
    refusal = replies[0].status;
    if (refusal.ok()) delays.push_back(delay_us);
    EXPECT_EQ(records.NextDue(), kNever);
  }
  EXPECT_TRUE(absl::IsResourceExhausted(refusal)) << refusal;
  ASSERT_GT(delays.size(), 10u);
  EXPECT_EQ(delays.front(), 0);
  EXPECT_GE(delays.back(), 5'000);
  EXPECT_TRUE(std::is_sorted(delays.begin(), delays.end()));
  EXPECT_GT(records.delayed(), 3u);

  // A read is answered at once all the while.
  records.Submit(StoreRead{.ticket = 5000, .partition = 1, .key = "key1"});
  EXPECT_EQ(Replies(&records, now_us).size(), 1u);

  // And with the flush all is as before.
  RunJobs(engine_.get());
  EXPECT_EQ(engine_->write_debt(), 0);
  records.Submit(Put(5001));
  RunJobs(engine_.get());
  EXPECT_EQ(Replies(&records, now_us).size(), 1u);
}

}  // namespace
}  // namespace norn::storage
