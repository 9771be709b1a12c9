#include "node/config.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "gtest/gtest.h"
#include "node/config.pb.h"

namespace norn::node {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr char kPath[] = "conf/a.textproto";

constexpr char kMembers[] =
    "member { id: 1 address: \"h1:1\" } member { id: 2 address: \"h2:1\" } "
    "member { id: 3 address: \"h3:1\" }";

std::string Minimal(const std::string& in_cluster = "", const std::string& in_node = "",
                    const std::string& rest = "") {
  return absl::StrCat("cluster { name: \"c\" secret: \"s\" ", kMembers, " ", in_cluster,
                      " }\nnode { id: 2 data_dir: \"data\" ", in_node, " }\n", rest, "\n");
}

std::string ErrorOf(const std::string& text) {
  const absl::StatusOr<Config> config = ParseConfig(text, kPath);
  if (config.ok()) return "no error";
  EXPECT_EQ(config.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(config.status().message());
}

std::string ReadExample() {
  std::ifstream file("node/nornd.example.textproto");
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_FALSE(text.str().empty());
  return text.str();
}

TEST(ConfigTest, AbsentSettingsHaveTheirDefaults) {
  const absl::StatusOr<Config> config = ParseConfig(Minimal(), kPath);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->cluster.name, "c");
  EXPECT_EQ(config->cluster.partitions, 256u);
  ASSERT_EQ(config->cluster.buckets.size(), 1u);
  EXPECT_EQ(config->cluster.buckets[0].n, 3);
  EXPECT_EQ(config->node.id, 2);
  EXPECT_EQ(config->node.value_bytes_max, NodeOptions().value_bytes_max);
  EXPECT_EQ(config->engine.memtable_bytes, storage::EngineOptions().memtable_bytes);
  EXPECT_EQ(config->engine.owner, "c/2");
  EXPECT_EQ(config->client_listen, "127.0.0.1:7301");
  EXPECT_EQ(config->peer_listen, "h2:1") << "the member's own address";
  EXPECT_THAT(config->warnings, IsEmpty());
}

TEST(ConfigTest, SettingsArriveInTheUnitsOfTheCore) {
  const absl::StatusOr<Config> config = ParseConfig(
      Minimal(
          "bucket { n: 3 r: 1 w: 3 r_min: 1 w_min: 2 } bucket { id: 7 name: \"x\" "
          "quorum: \"sloppy\" }",
          "request_timeout_ms: 1500 drain_timeout_ms: 20 peer_listen: \"[::]:9\"",
          "storage { memtable_bytes: 65536 level_growth: 4 compaction_bytes_per_second: 2097152 } "
          "log { level: \"warning\" notes_per_second_max: 3 }"),
      kPath);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->node.request_timeout_us, 1'500'000);
  EXPECT_EQ(config->drain_timeout_us, 20'000);
  EXPECT_EQ(config->peer_listen, "[::]:9");
  EXPECT_EQ(config->engine.memtable_bytes, 65536u);
  EXPECT_EQ(config->engine.level_growth, 4);
  EXPECT_EQ(config->engine.compaction_bytes_per_second, 2u << 20);
  EXPECT_EQ(config->log_level, LogLevel::kWarning);
  EXPECT_EQ(config->notes_per_second_max, 3u);
  ASSERT_EQ(config->cluster.buckets.size(), 2u);
  EXPECT_EQ(config->cluster.buckets[0].w_min, 2);
  EXPECT_EQ(config->cluster.buckets[1].name, "x");
  EXPECT_FALSE(config->cluster.buckets[0].sloppy);
  EXPECT_TRUE(config->cluster.buckets[1].sloppy);
}

TEST(ConfigTest, RelativePathsStartFromTheFilesFolder) {
  EXPECT_EQ(ParseConfig(Minimal(), "conf/a.textproto")->engine.dir, "conf/data");
  EXPECT_EQ(ParseConfig(Minimal(), "a.textproto")->engine.dir, "data");
  const std::string absolute =
      "cluster { name: \"c\" secret_file: \"/s\" member { id: 1 address: \"h:1\" } "
      "bucket { n: 1 r: 1 w: 1 } } node { id: 1 data_dir: \"/d\" }";
  EXPECT_EQ(ParseConfig(absolute, "conf/a.textproto")->engine.dir, "/d");
  EXPECT_EQ(ParseConfig(absolute, "conf/a.textproto")->secret_file, "/s");
}

TEST(ConfigTest, ErrorsNameTheirLineAndColumn) {
  EXPECT_THAT(ErrorOf("cluster {\n  nmae: \"x\"\n}"),
              AllOf(StartsWith("conf/a.textproto:2:7: "), HasSubstr("\"nmae\""),
                    HasSubstr("nornd.example.textproto")));
  EXPECT_THAT(ErrorOf("cluster {\n  name: \"x"), StartsWith("conf/a.textproto:2:"));
  EXPECT_THAT(ErrorOf("cluster { name: 5 }"), StartsWith("conf/a.textproto:1:17: "));
  EXPECT_THAT(ErrorOf(Minimal("", "\nid: 3")), HasSubstr("multiple times"));
}

TEST(ConfigTest, AnImpossibleQuorumIsRefusedAtItsLine) {
  EXPECT_THAT(
      ErrorOf(Minimal("bucket {\n  n: 3 r: 2\n  w: 4\n}")),
      AllOf(StartsWith("conf/a.textproto:3:3: "), HasSubstr("w is 4"), HasSubstr("1 to n")));
  EXPECT_THAT(ErrorOf(Minimal("\nbucket { n: 5 }")),
              AllOf(StartsWith("conf/a.textproto:2:10: "), HasSubstr("has 3 members")));
  // r is the default, hence the bucket's line.
  EXPECT_THAT(ErrorOf(Minimal("\nbucket { n: 1 w: 1 }")),
              AllOf(StartsWith("conf/a.textproto:2:1: "), HasSubstr("r is 2")));
}

TEST(ConfigTest, OtherFaultsOfTheClusterAreFoundAtTheirLine) {
  EXPECT_THAT(ErrorOf(Minimal("\npartitions: 100")),
              StartsWith("conf/a.textproto:2:1: partitions"));
  EXPECT_THAT(ErrorOf(Minimal("", "\nsuspect_after_ms: 20")), HasSubstr("suspect_after"));
  EXPECT_THAT(ErrorOf("cluster { name: \"c\" secret: \"s\" member { id: 1 address: \"h:1\" }\n"
                      "bucket { n: 1 r: 1 w: 1 } }\nnode {\n id: 9 data_dir: \"d\" }"),
              AllOf(StartsWith("conf/a.textproto:4:2: "), HasSubstr("9")));
}

TEST(ConfigTest, NumbersOutOfRangeAreRefused) {
  EXPECT_THAT(
      ErrorOf(Minimal("", "\nvalue_bytes_max: 0")),
      AllOf(StartsWith("conf/a.textproto:3:1: node.value_bytes_max is 0"), HasSubstr("1 to")));
  EXPECT_THAT(ErrorOf(Minimal("", "", "storage {\n  level_growth: 1000000 }")),
              StartsWith("conf/a.textproto:4:3: storage.level_growth is 1000000"));
  EXPECT_THAT(ErrorOf(Minimal("", "", "storage {\n  compaction_bytes_per_second: 1000 }")),
              AllOf(StartsWith("conf/a.textproto:4:3: storage.compaction_bytes_per_second is 1000"),
                    HasSubstr("at least 1048576")));
  EXPECT_THAT(ErrorOf(Minimal("member { id: 70000 address: \"h:1\" }")), HasSubstr("member.id is"));
}

TEST(ConfigTest, AddressesMustHaveHostAndPort) {
  for (const char* address : {"h4", ":1", "h4:0", "h4:65536", "h4:x", "::1:5", "[]:5"}) {
    EXPECT_THAT(
        ErrorOf(Minimal(absl::StrCat("\nmember { id: 4 address: \"", address, "\" }"))),
        AllOf(StartsWith("conf/a.textproto:2:16: cluster.member.address"), HasSubstr("port")))
        << address;
  }
  EXPECT_THAT(ErrorOf(Minimal("", "client_listen: \"h2:1\"")), HasSubstr("port of their own"));
}

TEST(ConfigTest, WhatIsRequiredIsAskedFor) {
  EXPECT_THAT(ErrorOf(""), HasSubstr("node.id is missing"));
  EXPECT_THAT(ErrorOf("node { id: 1 }"), HasSubstr("node.data_dir is missing"));
  EXPECT_THAT(ErrorOf("cluster { member { id: 1 } }"), HasSubstr("member.address is missing"));
  EXPECT_THAT(ErrorOf("node { id: 1 data_dir: \"d\" }"), HasSubstr("no name"));
  EXPECT_THAT(ErrorOf(Minimal("", "", "log { level: \"loud\" }")), HasSubstr("warning"));
  EXPECT_THAT(ErrorOf(Minimal("", "", "storage { sync: \"often\" }")), HasSubstr("interval"));
  EXPECT_THAT(ErrorOf(Minimal("", "", "storage { compression: \"zip\" }")),
              HasSubstr("lz4 or zstd"));
  EXPECT_THAT(ErrorOf(Minimal("", "", "storage { last_level_compression: \"\" }")),
              HasSubstr("storage.last_level_compression is \"\""));
}

TEST(ConfigTest, AMissingSecretIsRefused) {
  EXPECT_THAT(ErrorOf("cluster { name: \"c\" member { id: 1 address: \"h:1\" } bucket { n: 1 r: 1 "
                      "w: 1 } } node { id: 1 data_dir: \"d\" }"),
              AllOf(StartsWith("conf/a.textproto:1:1: "), HasSubstr("has no secret")));
}

TEST(ConfigTest, BucketsAreReadInFull) {
  const absl::StatusOr<Config> config = ParseConfig(
      Minimal("bucket {} bucket { id: 3 name: \"cache\" n: 2 r: 1 w: 1 quorum: \"sloppy\" "
              "conflicts: \"lww\" plain_get: \"error\" ttl_ms: 1500 key_bytes_max: 10 "
              "value_bytes_max: 20 siblings_max: 30 prune_entries_above: 40 }",
              "max_clock_skew_ms: 7 record_bytes_max: 2000000 context_entries_max: 50"),
      kPath);
  ASSERT_TRUE(config.ok()) << config.status();
  const BucketConfig& bucket = config->cluster.buckets[1];
  EXPECT_EQ(bucket.n, 2);
  EXPECT_TRUE(bucket.sloppy);
  EXPECT_EQ(bucket.conflicts, ConflictPolicy::kLww);
  EXPECT_EQ(bucket.plain_get, PlainGet::kError);
  EXPECT_EQ(bucket.ttl_us, 1'500'000);
  EXPECT_EQ(bucket.key_bytes_max, 10u);
  EXPECT_EQ(bucket.value_bytes_max, 20u);
  EXPECT_EQ(bucket.siblings_max, 30u);
  EXPECT_EQ(bucket.prune_entries_above, 40u);
  EXPECT_EQ(config->node.max_clock_skew_us, 7'000);
  EXPECT_EQ(config->node.record_bytes_max, 2'000'000u);
  EXPECT_EQ(config->node.context_entries_max, 50u);
  EXPECT_THAT(config->warnings,
              ElementsAre(HasSubstr("it is sloppy"), HasSubstr("false siblings")));
}

TEST(ConfigTest, FaultsOfABucketAreNamedAtTheirLine) {
  EXPECT_THAT(ErrorOf(Minimal("bucket {\n  conflicts: \"newest\" }")),
              AllOf(StartsWith("conf/a.textproto:2:3: "), HasSubstr("siblings or lww")));
  EXPECT_THAT(ErrorOf(Minimal("bucket {\n  quorum: \"\" }")), HasSubstr("strict or sloppy"));
  EXPECT_THAT(ErrorOf(Minimal("bucket {\n  plain_get: \"all\" }")), HasSubstr("winner or error"));
  EXPECT_THAT(ErrorOf(Minimal("bucket {\n  prune_entries_above: 3 }")),
              AllOf(StartsWith("conf/a.textproto:2:3: "), HasSubstr("at least 18")));
  EXPECT_THAT(ErrorOf(Minimal("bucket {}\nbucket { id: 4\n name: \"default\" }")),
              AllOf(StartsWith("conf/a.textproto:3:2: "), HasSubstr("another bucket's")));
}

TEST(ConfigTest, WarnsOfQuorumsThatDoNotOverlap) {
  const absl::StatusOr<Config> config = ParseConfig(
      "cluster { name: \"c\" secret: \"s\" member { id: 1 address: \"h:1\" } member { id: 2 "
      "address: \"i:1\" } "
      "bucket { n: 2 r: 1 w: 1 } } node { id: 1 data_dir: \"d\" }",
      kPath);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_THAT(config->warnings, ElementsAre(HasSubstr("not above n")));
}

TEST(ConfigTest, TheSecretComesFromItsFile) {
  const std::string dir = std::getenv("TEST_TMPDIR");
  const auto write = [&dir](const char* name, const std::string& text) {
    std::ofstream(dir + "/" + name) << text;
  };
  write("a.textproto",
        "cluster { name: \"c\" secret_file: \"s\" member { id: 1 address: \"h:1\" } "
        "bucket { n: 1 r: 1 w: 1 } } node { id: 1 data_dir: \"d\" }");
  std::remove((dir + "/s").c_str());
  EXPECT_THAT(std::string(LoadConfig(dir + "/a.textproto").status().message()),
              AllOf(HasSubstr("/s: "), HasSubstr("secret_file")));
  write("s", " \n");
  EXPECT_THAT(std::string(LoadConfig(dir + "/a.textproto").status().message()), HasSubstr("empty"));
  write("s", "hush\n");
  const absl::StatusOr<Config> config = LoadConfig(dir + "/a.textproto");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->cluster.secret, "hush");
  EXPECT_THAT(std::string(LoadConfig(dir + "/none").status().message()), HasSubstr("/none: "));
}

TEST(ConfigTest, TheExampleIsValidAndStatesTheDefaults) {
  const std::string example = ReadExample();
  const absl::StatusOr<Config> config = ParseConfig(example, "nornd.example.textproto");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_THAT(config->warnings, IsEmpty());
  const Config plain = *ParseConfig(Minimal(), kPath);
  EXPECT_EQ(config->cluster.partitions, plain.cluster.partitions);
  EXPECT_EQ(config->client_listen, plain.client_listen);
  EXPECT_EQ(config->engine.record_cache_bytes, plain.engine.record_cache_bytes);
  EXPECT_EQ(config->drain_timeout_us, plain.drain_timeout_us);
  EXPECT_EQ(config->notes_per_second_max, plain.notes_per_second_max);
  EXPECT_EQ(config->log_level, plain.log_level);
  const NodeOptions& a = config->node;
  const NodeOptions& b = plain.node;
  EXPECT_EQ(a.key_bytes_max, b.key_bytes_max);
  EXPECT_EQ(a.value_bytes_max, b.value_bytes_max);
  EXPECT_EQ(a.siblings_max, b.siblings_max);
  EXPECT_EQ(a.requests_in_flight_max, b.requests_in_flight_max);
  EXPECT_EQ(a.replica_work_max, b.replica_work_max);
  EXPECT_EQ(a.request_timeout_us, b.request_timeout_us);
  EXPECT_EQ(a.gossip_interval_us, b.gossip_interval_us);
  EXPECT_EQ(a.suspect_after_us, b.suspect_after_us);
  EXPECT_EQ(a.speculate_after_us, b.speculate_after_us);
  EXPECT_EQ(a.digest_above_bytes, b.digest_above_bytes);
  EXPECT_EQ(a.exchange_interval_us, b.exchange_interval_us);
  EXPECT_EQ(a.exchange_page_entries, b.exchange_page_entries);
  EXPECT_EQ(a.exchange_page_bytes, b.exchange_page_bytes);
  EXPECT_EQ(a.lease_counters, b.lease_counters);
  EXPECT_EQ(a.record_bytes_max, b.record_bytes_max);
  EXPECT_EQ(a.context_entries_max, b.context_entries_max);
  EXPECT_EQ(a.max_clock_skew_us, b.max_clock_skew_us);
  EXPECT_EQ(a.hint_bytes_max, b.hint_bytes_max);
  EXPECT_EQ(a.hint_bytes_per_second, b.hint_bytes_per_second);
  EXPECT_EQ(a.hint_age_max_us, b.hint_age_max_us);
  const storage::EngineOptions& x = config->engine;
  const storage::EngineOptions& y = plain.engine;
  EXPECT_EQ(x.memtable_bytes, y.memtable_bytes);
  EXPECT_EQ(x.immutable_memtables_max, y.immutable_memtables_max);
  EXPECT_EQ(x.wal_preallocate_bytes, y.wal_preallocate_bytes);
  EXPECT_EQ(x.block_bytes, y.block_bytes);
  EXPECT_EQ(x.block_restart_interval, y.block_restart_interval);
  EXPECT_EQ(x.index_partition_bytes, y.index_partition_bytes);
  EXPECT_EQ(x.bloom_bits_per_key, y.bloom_bits_per_key);
  EXPECT_EQ(x.block_cache_bytes, y.block_cache_bytes);
  EXPECT_EQ(x.level0_tables_to_compact, y.level0_tables_to_compact);
  EXPECT_EQ(x.level0_percent, y.level0_percent);
  EXPECT_EQ(x.level0_tables_max, y.level0_tables_max);
  EXPECT_EQ(x.level1_bytes, y.level1_bytes);
  EXPECT_EQ(x.level_growth, y.level_growth);
  EXPECT_EQ(x.table_bytes, y.table_bytes);
  EXPECT_EQ(x.compaction_bytes_per_second, y.compaction_bytes_per_second);
  EXPECT_EQ(x.sync_mode, y.sync_mode);
  EXPECT_EQ(x.compression, y.compression);
  EXPECT_EQ(x.last_level_compression, y.last_level_compression);
  EXPECT_EQ(config->sync_interval_us, plain.sync_interval_us);
  EXPECT_EQ(config->scrub_bytes_per_second, plain.scrub_bytes_per_second);
}

void ExpectDocumented(const google::protobuf::Descriptor& message, const std::string& example) {
  for (int i = 0; i < message.field_count(); ++i) {
    const google::protobuf::FieldDescriptor& field = *message.field(i);
    const bool inner = field.message_type() != nullptr;
    const std::string written = absl::StrCat(field.name(), inner ? " {" : ": ");
    EXPECT_TRUE(absl::StrContains(example, absl::StrCat(" ", written)) ||
                absl::StrContains(example, absl::StrCat("\n", written)))
        << "node/nornd.example.textproto does not show " << field.full_name();
    if (inner) ExpectDocumented(*field.message_type(), example);
  }
}

TEST(ConfigTest, TheExampleShowsEverySetting) {
  ExpectDocumented(*v1::NodeConfig::descriptor(), ReadExample());
}

}  // namespace
}  // namespace norn::node
