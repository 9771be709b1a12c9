// Records that cannot be read: updates over them, and their excision.

#include "storage/record_storage.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/causality/record.h"
#include "core/store.h"
#include "gtest/gtest.h"
#include "sim/sim_disk.h"
#include "storage/testing/engine_driver.h"
#include "storage/testing/engine_fixture.h"

namespace norn::storage {
namespace {

constexpr PartitionId kPartition = 3;

MintOp Mint(uint64_t counter, const std::string& value) {
  MintOp op;
  op.dot = {MakeIncarnation(1, 5), counter};
  op.base = ClientRequest::Base::kCurrent;
  op.value = value;
  op.siblings_max = 3;
  return op;
}

std::string RecordOf(const RecordOp& op) {
  Record record;
  const MintOp& mint = std::get<MintOp>(op);
  // Of another replica.
  record.Put({.dot = {MakeIncarnation(2, 5), mint.dot.counter}, .value = mint.value},
             VersionVector());
  return record.Encode();
}

class RecordStorageDamageTest : public EngineTest {
 protected:
  // A table of 200 records, whose block in the middle is bad.
  void SetUp() override {
    options_.memtable_bytes = 1u << 20;
    ASSERT_TRUE(Open().ok());
    records_ = std::make_unique<RecordStorage>(*engine_, RecordHasher("cluster", "secret"));
    for (int i = 0; i < 200; ++i) {
      ASSERT_TRUE(Update(Key(i), Mint(static_cast<uint64_t>(i) + 1, "before"), false).status.ok());
    }
    Crash(sim::CrashLoss::kAllUnsynced);
    ASSERT_TRUE(Open().ok());
    records_ = std::make_unique<RecordStorage>(*engine_, RecordHasher("cluster", "secret"));
    ASSERT_TRUE(disk_.FlipBit(FilesEndingIn(".sst").front(), 5000, 1).ok());
    bad_ = NextBad(0);
    ASSERT_LT(bad_, 200);
  }

  // The first number from `i` on of a key whose record cannot be read; 200: none.
  int NextBad(int i) {
    while (i < 200 && Read(Key(i)).status.ok()) ++i;
    return i;
  }

  StoreReply Run(StoreRequest request) {
    records_->Submit(std::move(request));
    StoreReply reply;
    for (int i = 0; i < 10; ++i) {
      RunJob(engine_.get(), Lane::kLog);
      RunJob(engine_.get(), Lane::kRead);
      records_->Pump(/*now_us=*/0);
      if (records_->PopReply(&reply)) return reply;
    }
    ADD_FAILURE() << "no reply";
    return reply;
  }

  StoreReply Read(const std::string& key) {
    return Run(StoreRead{.ticket = 1, .partition = kPartition, .key = key});
  }

  StoreReply Update(const std::string& key, RecordOp op, bool over_damage) {
    return Run(StoreUpdate{.ticket = 2,
                           .partition = kPartition,
                           .key = key,
                           .op = std::move(op),
                           .over_damage = over_damage});
  }

  std::unique_ptr<RecordStorage> records_;
  int bad_ = 0;  // the number of a key whose record cannot be read
};

TEST_F(RecordStorageDamageTest, AMergeTakesThePlaceOfWhatCannotBeReadIfItSaysSo) {
  const std::string record = RecordOf(Mint(1000, "from a peer"));
  for (const bool settled : {false, true}) {
    SCOPED_TRACE(settled);
    const int bad = settled ? NextBad(bad_ + 1) : bad_;
    ASSERT_LT(bad, 200);
    const std::string key = Key(bad);
    EXPECT_TRUE(absl::IsDataLoss(Update(key, MergeOp{record}, false).status));
    EXPECT_TRUE(absl::IsDataLoss(Read(key).status));
    const StoreReply reply = Update(key, MergeOp{record}, true);
    EXPECT_TRUE(reply.status.ok()) << reply.status;
    EXPECT_TRUE(reply.applied);
    EXPECT_EQ(Read(key).record, record);
    // And from then on merges and mints are as ever.
    EXPECT_TRUE(Update(key, Mint(2000, "later"), false).status.ok());
    RunJobs(engine_.get());
    ASSERT_EQ(engine_->damaged_ranges().size(), 1u);
    EXPECT_TRUE(engine_->damaged_ranges()[0].settled);
  }
}

TEST_F(RecordStorageDamageTest, NothingIsMintedOverWhatCannotBeRead) {
  EXPECT_TRUE(absl::IsDataLoss(Update(Key(bad_), Mint(1000, "minted"), true).status));
  EXPECT_TRUE(absl::IsDataLoss(Read(Key(bad_)).status));
}

TEST_F(RecordStorageDamageTest, WhereNothingIsDamagedItIsAMergeLikeAnyOther) {
  const std::string record = RecordOf(Mint(1000, "from a peer"));
  EXPECT_TRUE(Update(Key(0), MergeOp{record}, true).status.ok());
  Record merged;
  ASSERT_TRUE(Record::Decode(Read(Key(0)).record, &merged));
  EXPECT_EQ(merged.versions().size(), 2u);
}

TEST_F(RecordStorageDamageTest, APeerThatHasNothingLeavesTheErrorInPlace) {
  EXPECT_TRUE(Update(Key(bad_), MergeOp{""}, true).status.ok());
  EXPECT_TRUE(absl::IsDataLoss(Read(Key(bad_)).status));
}

TEST_F(RecordStorageDamageTest, DamageIsToldAndExcised) {
  RunJobs(engine_.get());
  const StoreReply told = Run(StoreDamage{.ticket = 3, .partitions = 64});
  EXPECT_EQ(told.ticket, 3u);
  ASSERT_EQ(told.damaged.size(), 1u);
  const DamagedCursors damaged = told.damaged[0];
  EXPECT_EQ(damaged.partition, kPartition);
  EXPECT_LE(damaged.from, CursorOf(Key(bad_)));
  EXPECT_GT(damaged.to, CursorOf(Key(bad_)));
  // One of its records comes back from a peer.
  const int other = NextBad(bad_ + 1);
  ASSERT_LT(other, 200);
  const std::string record = RecordOf(Mint(1000, "from a peer"));
  ASSERT_TRUE(Update(Key(other), MergeOp{record}, true).status.ok());
  records_->Submit(StoreExcise{.ticket = 4, .damaged = damaged});
  StoreReply done;
  EXPECT_FALSE(records_->PopReply(&done)) << "it is not durable yet";
  RunJobs(engine_.get());
  records_->Pump(/*now_us=*/0);
  ASSERT_TRUE(records_->PopReply(&done));
  EXPECT_EQ(done.ticket, 4u);
  EXPECT_TRUE(done.status.ok()) << done.status;
  EXPECT_TRUE(Run(StoreDamage{.ticket = 5, .partitions = 64}).damaged.empty());
  EXPECT_TRUE(Read(Key(bad_)).status.ok());
  EXPECT_EQ(Read(Key(bad_)).record, "");
  EXPECT_EQ(Read(Key(other)).record, record);
  EXPECT_EQ(NextBad(0), 200);
}

TEST_F(RecordStorageDamageTest, WhatIsAtHandGoesBackToTheDiskWhenItIsMended) {
  ASSERT_TRUE(Open().ok());
  records_ = std::make_unique<RecordStorage>(*engine_, RecordHasher("cluster", "secret"), 1 << 20);
  // It is read once, before the disk loses it.
  ASSERT_TRUE(disk_.FlipBit(FilesEndingIn(".sst").front(), 5000, 1).ok());
  const std::string record = Read(Key(bad_)).record;
  ASSERT_NE(record, "");
  ASSERT_TRUE(disk_.FlipBit(FilesEndingIn(".sst").front(), 5000, 1).ok());
  engine_->GrantScrub(1u << 20);
  RunJobs(engine_.get());
  const StoreReply told = Run(StoreDamage{.ticket = 3, .partitions = 64});
  ASSERT_EQ(told.damaged.size(), 1u);
  EXPECT_EQ(Read(Key(bad_)).record, record) << "at hand";
  // A peer has the very same.
  ASSERT_TRUE(Update(Key(bad_), MergeOp{record}, true).status.ok());
  records_->Submit(StoreExcise{.ticket = 4, .damaged = told.damaged[0]});
  RunJobs(engine_.get());
  records_->Pump(/*now_us=*/0);
  StoreReply done;
  ASSERT_TRUE(records_->PopReply(&done));
  EXPECT_EQ(Read(Key(bad_)).record, record);
}

}  // namespace
}  // namespace norn::storage
