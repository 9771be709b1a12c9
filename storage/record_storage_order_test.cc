// The order in which a scan's reply leaves, among those of the changes that it shows.

#include <memory>
#include <string>
#include <utility>

#include "core/store.h"
#include "gtest/gtest.h"
#include "storage/record_storage.h"
#include "storage/testing/engine_driver.h"
#include "storage/testing/engine_fixture.h"

namespace norn::storage {
namespace {

constexpr PartitionId kPartition = 3;
constexpr StoreTicket kUpdate = 1, kScan = 2, kLater = 3;

class RecordStorageOrderTest : public EngineTest {
 protected:
  void SetUp() override {
    ASSERT_TRUE(Open().ok());
    records_ = std::make_unique<RecordStorage>(*engine_, RecordHasher("cluster", "secret"));
  }
  void Update(StoreTicket ticket, const std::string& key) {
    MintOp op;
    op.dot = {MakeIncarnation(1, 5), ++counter_};
    op.value = "value";
    op.siblings_max = 3;
    StoreUpdate update;
    update.ticket = ticket;
    update.partition = kPartition;
    update.key = key;
    update.op = std::move(op);
    records_->Submit(std::move(update));
  }
  void Scan() {
    StoreScan scan;
    scan.ticket = kScan;
    scan.partition = kPartition;
    scan.entries_max = 100;
    scan.bytes_max = 1u << 20;
    records_->Submit(std::move(scan));
  }
  void Sync() { ASSERT_TRUE(RunJob(engine_.get(), Lane::kLog)); }
  // The next reply that leaves; a ticket of 0: none does.
  StoreReply Next() {
    StoreReply reply;
    records_->PopReply(&reply);
    return reply;
  }

  std::unique_ptr<RecordStorage> records_;
  uint64_t counter_ = 0;
};

// A node takes up what came over the network between the end of a sync and Pump().
TEST_F(RecordStorageOrderTest, AScanDoesNotOvertakeWhatBecameDurableUntold) {
  Update(kUpdate, "key");
  Sync();
  Scan();
  Update(kLater, "other");
  records_->Pump(/*now_us=*/0);
  EXPECT_EQ(Next().ticket, kUpdate);
  const StoreReply scan = Next();
  EXPECT_EQ(scan.ticket, kScan);
  EXPECT_EQ(scan.entries.size(), 1u);
  EXPECT_EQ(Next().ticket, 0u);
  Sync();
  records_->Pump(/*now_us=*/0);
  EXPECT_EQ(Next().ticket, kLater);
}

TEST_F(RecordStorageOrderTest, AScanWaitsUntilAllThatItShowsIsDurable) {
  Update(kUpdate, "key");
  Sync();
  records_->Pump(/*now_us=*/0);
  EXPECT_EQ(Next().ticket, kUpdate);
  Update(kLater, "other");
  Scan();  // shows the later one, too
  records_->Pump(/*now_us=*/0);
  EXPECT_EQ(Next().ticket, 0u);
  Sync();
  records_->Pump(/*now_us=*/0);
  EXPECT_EQ(Next().ticket, kLater);
  EXPECT_EQ(Next().ticket, kScan);
}

}  // namespace
}  // namespace norn::storage
