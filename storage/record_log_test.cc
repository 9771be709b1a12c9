#include "storage/record_log.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace norn::storage {
namespace {

using Verdict = LogContents::Verdict;

// A log of `n` records; the first `synced` of them were synced, one at a time, before the
// next was written.
struct Log {
  explicit Log(int n, int synced = 0, uint64_t id = 77) : encoder(LogKind::kWal, 5, id) {
    encoder.AppendHeader(&bytes);
    for (int i = 0; i < n; ++i) {
      starts.push_back(bytes.size());
      encoder.AppendRecord(absl::StrCat("record ", i), &bytes);
      if (i < synced) encoder.MarkSynced();
    }
  }
  LogContents Read(uint64_t vouched = 0) const {
    return ReadLog(LogKind::kWal, bytes, 77, vouched);
  }
  LogEncoder encoder;
  std::string bytes;
  std::vector<size_t> starts;
};

TEST(RecordLogTest, WhatIsWrittenIsRead) {
  const Log log(3);
  const LogContents contents = log.Read();
  EXPECT_EQ(contents.verdict, Verdict::kClean);
  EXPECT_EQ(contents.number, 5u);
  EXPECT_EQ(contents.file_id, 77u);
  EXPECT_EQ(contents.good_bytes, log.bytes.size());
  ASSERT_EQ(contents.records.size(), 3u);
  EXPECT_EQ(contents.records[2].body, "record 2");
  EXPECT_EQ(contents.records[2].offset, log.starts[2]);
}

TEST(RecordLogTest, EveryCutOfAnUnsyncedLogIsTornOrClean) {
  const Log log(3);
  for (size_t n = kLogHeaderBytes; n < log.bytes.size(); ++n) {
    const LogContents contents =
        ReadLog(LogKind::kWal, absl::string_view(log.bytes).substr(0, n), 77, 0);
    size_t whole = 0;
    while (whole < 3 && (whole == 2 ? log.bytes.size() : log.starts[whole + 1]) <= n) ++whole;
    const bool clean = n == kLogHeaderBytes || (whole > 0 && n == log.starts[whole]);
    EXPECT_EQ(contents.verdict, clean ? Verdict::kClean : Verdict::kTorn) << n;
    EXPECT_EQ(contents.records.size(), whole) << n;
  }
}

TEST(RecordLogTest, ZerosBehindTheLastRecordAreNoPartOfTheLog) {
  for (const size_t zeros : {1, 19, 20, 21, 4096, 100'000}) {
    Log log(3, 3);
    const size_t end = log.bytes.size();
    log.bytes.append(zeros, '\0');
    LogContents contents = log.Read(end);
    EXPECT_EQ(contents.verdict, Verdict::kClean) << zeros;
    EXPECT_EQ(contents.records.size(), 3u);
    EXPECT_EQ(contents.good_bytes, end);
    // Zeros do not stand for bytes that somebody vouches for.
    EXPECT_EQ(log.Read(end + 1).verdict, Verdict::kDamaged) << zeros;
    // Nor does the start of a record that a crash cut count as one.
    log.bytes[end + zeros / 2] = 'x';
    contents = log.Read(end);
    EXPECT_EQ(contents.verdict, Verdict::kTorn) << zeros;
    EXPECT_EQ(contents.records.size(), 3u);
  }
}

TEST(RecordLogTest, EveryFlippedBitIsNoticed) {
  const Log log(3, 3);
  for (size_t i = 0; i < log.bytes.size(); ++i) {
    Log copy = log;
    copy.bytes[i] = static_cast<char>(copy.bytes[i] ^ 0x10);
    const LogContents contents = copy.Read();
    if (i < kLogHeaderBytes) {
      EXPECT_NE(contents.verdict, Verdict::kClean) << i;
      continue;
    }
    // The last record is vouched for by nobody.
    const bool last = i >= log.starts[2];
    EXPECT_EQ(contents.verdict, last ? Verdict::kTorn : Verdict::kDamaged) << i;
    EXPECT_EQ(contents.records.size(), 2u) << i;
    EXPECT_EQ(contents.records_before_damage, i < log.starts[1] ? 0u : last ? 2u : 1u) << i;
  }
}

TEST(RecordLogTest, BehindATornTailNothingCounts) {
  // All three were written in one go; the first was lost.
  Log log(3, 0);
  log.bytes[log.starts[0] + 25] = '?';
  const LogContents contents = log.Read();
  EXPECT_EQ(contents.verdict, Verdict::kTorn);
  EXPECT_TRUE(contents.records.empty());
  EXPECT_EQ(contents.good_bytes, log.starts[0]);
}

TEST(RecordLogTest, AHeadVouchesThoughItsBodyIsTorn) {
  Log log(3, 2);
  log.bytes[log.starts[1] + 22] = '?';
  log.bytes.pop_back();
  EXPECT_EQ(log.Read().verdict, Verdict::kDamaged);
}

TEST(RecordLogTest, OthersCanVouch) {
  Log log(3, 0);
  const uint64_t size = log.bytes.size();
  EXPECT_EQ(log.Read(size).verdict, Verdict::kClean);
  log.bytes.pop_back();
  EXPECT_EQ(log.Read().verdict, Verdict::kTorn);
  EXPECT_EQ(log.Read(log.starts[2]).verdict, Verdict::kTorn);
  EXPECT_EQ(log.Read(size).verdict, Verdict::kDamaged);
  log.bytes.resize(log.starts[2]);
  EXPECT_EQ(log.Read().verdict, Verdict::kClean);
  EXPECT_EQ(log.Read(size).verdict, Verdict::kDamaged);
}

TEST(RecordLogTest, RecordsOfOtherFilesAndOtherPlacesDoNotPass) {
  const Log log(3, 0);
  const Log other(3, 0, 78);
  Log mixed = log;
  // The same place of another file; then the same file, another place.
  mixed.bytes.replace(mixed.starts[1], std::string::npos, other.bytes.substr(other.starts[1]));
  EXPECT_EQ(mixed.Read().records.size(), 1u);
  mixed = log;
  mixed.bytes.replace(mixed.starts[1], std::string::npos, log.bytes.substr(log.starts[2]));
  EXPECT_EQ(mixed.Read().records.size(), 1u);
  EXPECT_EQ(ReadLog(LogKind::kWal, other.bytes, 77, 0).verdict, Verdict::kNoLog);
  EXPECT_EQ(ReadLog(LogKind::kManifest, log.bytes, std::nullopt, 0).verdict, Verdict::kNoLog);
}

TEST(RecordLogTest, ABadHeaderHidesNothingFromWhoKnowsTheId) {
  Log log(3, 3);
  log.bytes[2] = '?';
  EXPECT_EQ(ReadLog(LogKind::kWal, log.bytes, std::nullopt, 0).verdict, Verdict::kNoLog);
  const LogContents contents = log.Read();
  EXPECT_EQ(contents.verdict, Verdict::kDamaged);
  EXPECT_EQ(contents.records.size(), 3u);
  EXPECT_EQ(ReadLog(LogKind::kWal, "", 77, kLogHeaderBytes).verdict, Verdict::kDamaged);
}

}  // namespace
}  // namespace norn::storage
