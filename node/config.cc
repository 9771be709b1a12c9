#include "node/config.h"

#include <algorithm>
#include <fstream>
#include <initializer_list>
#include <limits>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/check.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/text_format.h"
#include "net/host_port.h"
#include "node/config.pb.h"

namespace norn::node {

namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Reflection;
using google::protobuf::TextFormat;

constexpr char kSeeExample[] = "node/nornd.example.textproto lists every setting";

std::string Position(const std::string& path, int line, int column) {
  return absl::StrCat(path, ":", line + 1, ":", column + 1, ": ");
}

class SyntaxErrors : public google::protobuf::io::ErrorCollector {
 public:
  explicit SyntaxErrors(const std::string& path) : path_(path) {}

  void AddError(int line, int column, const std::string& message) override {
    // Line -1: the file as a whole.
    errors_.push_back(line < 0 ? absl::StrCat(path_, ": ", message)
                               : absl::StrCat(Position(path_, line, column), message));
  }

  absl::Status status() const {
    return absl::InvalidArgumentError(
        absl::StrCat(absl::StrJoin(errors_, "\n"), " (", kSeeExample, ")"));
  }

 private:
  const std::string& path_;
  std::vector<std::string> errors_;
};

// One block of the file, and where its settings stand. Keeps the first error of all blocks
// that share `error`; after one, takes nothing more.
class Block {
 public:
  Block(const google::protobuf::Message& message, const TextFormat::ParseInfoTree* tree,
        const std::string& path, std::string name, absl::Status* error)
      : message_(message), tree_(tree), path_(path), name_(std::move(name)), error_(error) {}

  // The block `field`, the `index`th if it is repeated (-1: it is not).
  Block Inner(const char* field, int index = -1) const {
    const FieldDescriptor* const descriptor = Find(field);
    const Reflection* const reflection = message_.GetReflection();
    const google::protobuf::Message& inner =
        index < 0 ? reflection->GetMessage(message_, descriptor)
                  : reflection->GetRepeatedMessage(message_, descriptor, index);
    const TextFormat::ParseInfoTree* const inner_tree =
        tree_ == nullptr ? nullptr : tree_->GetTreeForNested(descriptor, index);
    return Block(inner, inner_tree, path_, name_.empty() ? field : absl::StrCat(name_, ".", field),
                 error_);
  }

  bool Has(const char* field) const {
    return message_.GetReflection()->HasField(message_, Find(field));
  }

  // Sets `*out` to the number times `scale`, if it is there and within [low, high].
  template <typename T>
  void Number(const char* field, uint64_t low, uint64_t high, T* out, uint64_t scale = 1) const {
    const FieldDescriptor* const descriptor = Find(field);
    const Reflection* const reflection = message_.GetReflection();
    CORE_CHECK(high <= static_cast<uint64_t>(std::numeric_limits<T>::max()) / scale);
    if (!Has(field)) return;
    const uint64_t value = descriptor->cpp_type() == FieldDescriptor::CPPTYPE_UINT32
                               ? reflection->GetUInt32(message_, descriptor)
                               : reflection->GetUInt64(message_, descriptor);
    if (value < low || value > high) {
      Fail(field, absl::StrCat("is ", value, ": it must be ", low, " to ", high));
      return;
    }
    *out = static_cast<T>(value * scale);
  }

  void Text(const char* field, std::string* out) const {
    if (Has(field)) *out = message_.GetReflection()->GetString(message_, Find(field));
  }

  // Which of `words` the text is: its index; 0, the default, if the field is not there.
  size_t Choice(const char* field, std::initializer_list<absl::string_view> words) const {
    std::string text;
    Text(field, &text);
    if (!Has(field)) return 0;
    const auto found = std::find(words.begin(), words.end(), text);
    if (found != words.end()) return static_cast<size_t>(found - words.begin());
    Fail(field, absl::StrCat("is \"", text, "\": write ", absl::StrJoin(words, " or ")));
    return 0;
  }

  void Address(const char* field, std::string* out) const {
    Text(field, out);
    if (out->empty()) return;
    const absl::StatusOr<net::HostPort> address = net::ParseHostPort(*out);
    if (!address.ok()) {
      Fail(field, absl::StrCat("is no address: ", address.status().message()));
    } else if (address->port == 0) {
      Fail(field, "has port 0: give the port that others can rely on, 1 to 65535");
    }
  }

  void Choice(const char* field, storage::Compression* out) const {
    if (!Has(field)) return;
    std::string name;
    Text(field, &name);
    const std::optional<storage::Compression> compression = storage::ParseCompression(name);
    if (compression.has_value()) {
      *out = *compression;
    } else {
      Fail(field, absl::StrCat("is \"", name, "\": write none, lz4 or zstd"));
    }
  }

  // Records an error at `field`, or at the whole file if the setting is not there.
  void Fail(const char* field, absl::string_view what) const {
    if (!error_->ok()) return;
    *error_ = absl::InvalidArgumentError(
        absl::StrCat(Where(field), name_, name_.empty() ? "" : ".", field, " ", what));
  }

  // "path:line:column: " of `field`, or "path: ".
  std::string Where(const char* field, int index = -1) const {
    TextFormat::ParseLocation location;
    if (tree_ != nullptr) location = tree_->GetLocation(Find(field), index);
    if (location.line < 0) return absl::StrCat(path_, ": ");
    return Position(path_, location.line, location.column);
  }

 private:
  const FieldDescriptor* Find(const char* field) const {
    const FieldDescriptor* const descriptor = message_.GetDescriptor()->FindFieldByName(field);
    CORE_CHECK(descriptor != nullptr);
    return descriptor;
  }

  const google::protobuf::Message& message_;
  const TextFormat::ParseInfoTree* tree_;  // null: the block is not in the file
  const std::string& path_;
  std::string name_;
  absl::Status* error_;
};

constexpr uint64_t kMillisecondsMax = 24ull * 3600 * 1000;
constexpr uint64_t kMicrosPerMilli = 1000;

MemberConfig TakeMember(const Block& block) {
  MemberConfig member;
  block.Number("id", 1, 65535, &member.id);
  block.Address("address", &member.address);
  block.Text("zone", &member.zone);
  block.Text("data_center", &member.data_center);
  block.Number("weight", 1, 1000, &member.weight);
  if (member.id == kNoNode) block.Fail("id", "is missing: give each member a number, 1 to 65535");
  if (member.address.empty()) block.Fail("address", "is missing: give the host:port of its peers");
  return member;
}

// Whether N, R and W fit each other is for norn::Validate() to say.
BucketConfig TakeBucket(const Block& block) {
  BucketConfig bucket;
  block.Number("id", 0, 65535, &bucket.id);
  block.Text("name", &bucket.name);
  block.Number("n", 0, 1000, &bucket.n);
  block.Number("r", 0, 1000, &bucket.r);
  block.Number("w", 0, 1000, &bucket.w);
  block.Number("r_min", 0, 1000, &bucket.r_min);
  block.Number("w_min", 0, 1000, &bucket.w_min);
  bucket.sloppy = block.Choice("quorum", {"strict", "sloppy"}) == 1;
  const size_t conflicts = block.Choice("conflicts", {"siblings", "lww"});
  bucket.conflicts = conflicts == 1 ? ConflictPolicy::kLww : ConflictPolicy::kSiblings;
  const size_t plain_get = block.Choice("plain_get", {"winner", "error"});
  bucket.plain_get = plain_get == 1 ? PlainGet::kError : PlainGet::kWinner;
  block.Number("ttl_ms", 0, kTtlUsMax / kMicrosPerMilli, &bucket.ttl_us, kMicrosPerMilli);
  block.Number("key_bytes_max", 0, 32u << 10, &bucket.key_bytes_max);
  block.Number("value_bytes_max", 0, 4u << 20, &bucket.value_bytes_max);
  block.Number("siblings_max", 0, 4096, &bucket.siblings_max);
  block.Number("prune_entries_above", 0, 65536, &bucket.prune_entries_above);
  return bucket;
}

void TakeCluster(const v1::ClusterSettings& settings, const Block& block, Config* config) {
  ClusterConfig& cluster = config->cluster;
  block.Text("name", &cluster.name);
  block.Number("partitions", 1, 16384, &cluster.partitions);
  block.Text("secret", &cluster.secret);
  block.Text("secret_file", &config->secret_file);
  if (!cluster.secret.empty() && !config->secret_file.empty()) {
    block.Fail("secret_file", "and cluster.secret are both given: leave one of them out");
  }
  for (int i = 0; i < settings.member_size(); ++i) {
    cluster.members.push_back(TakeMember(block.Inner("member", i)));
  }
  if (settings.bucket_size() > 0) cluster.buckets.clear();
  for (int i = 0; i < settings.bucket_size(); ++i) {
    cluster.buckets.push_back(TakeBucket(block.Inner("bucket", i)));
  }
}

void TakeNode(const Block& block, Config* config) {
  NodeOptions& node = config->node;
  block.Number("id", 1, 65535, &node.id);
  block.Address("client_listen", &config->client_listen);
  block.Address("peer_listen", &config->peer_listen);
  block.Text("data_dir", &config->engine.dir);
  block.Text("checkpoint_dir", &config->checkpoint_dir);
  block.Number("key_bytes_max", 1, 32u << 10, &node.key_bytes_max);
  block.Number("value_bytes_max", 1, 4u << 20, &node.value_bytes_max);
  block.Number("siblings_max", 1, 4096, &node.siblings_max);
  block.Number("requests_in_flight_max", 1, 1u << 24, &node.requests_in_flight_max);
  block.Number("replica_work_max", 1, 1u << 24, &node.replica_work_max);
  block.Number("request_timeout_ms", 1, kMillisecondsMax, &node.request_timeout_us,
               kMicrosPerMilli);
  block.Number("drain_timeout_ms", 1, kMillisecondsMax, &config->drain_timeout_us, kMicrosPerMilli);
  block.Number("gossip_interval_ms", 10, kMillisecondsMax, &node.gossip_interval_us,
               kMicrosPerMilli);
  block.Number("suspect_after_ms", 20, kMillisecondsMax, &node.suspect_after_us, kMicrosPerMilli);
  block.Number("speculate_after_ms", 1, kMillisecondsMax, &node.speculate_after_us,
               kMicrosPerMilli);
  block.Number("digest_above_bytes", 0, 1ull << 30, &node.digest_above_bytes);
  block.Number("exchange_interval_ms", 10, kMillisecondsMax, &node.exchange_interval_us,
               kMicrosPerMilli);
  block.Number("exchange_page_entries", 1, 1u << 20, &node.exchange_page_entries);
  block.Number("exchange_page_bytes", 1024, 16u << 20, &node.exchange_page_bytes);
  block.Number("exchange_bytes_per_second", 1024, 1ull << 40, &node.exchange_bytes_per_second);
  block.Number("tree_scan_bytes_per_second", 1024, 1ull << 40, &node.tree_scan_bytes_per_second);
  block.Number("tree_save_after_ms", 1, kMillisecondsMax, &node.tree_save_after_us,
               kMicrosPerMilli);
  block.Number("tree_bucket_keys", 1, 1u << 20, &node.tree_bucket_keys);
  block.Number("tree_scrub_interval_ms", 0, kMillisecondsMax, &node.tree_scrub_interval_us,
               kMicrosPerMilli);
  block.Number("damage_check_interval_ms", 0, kMillisecondsMax, &node.damage_check_interval_us,
               kMicrosPerMilli);
  block.Number("lease_counters", 1, 1u << 30, &node.lease_counters);
  block.Number("record_bytes_max", 1024, 8u << 20, &node.record_bytes_max);
  block.Number("context_entries_max", 16, 65536, &node.context_entries_max);
  block.Number("max_clock_skew_ms", 0, kMillisecondsMax, &node.max_clock_skew_us, kMicrosPerMilli);
  block.Number("hint_bytes_max", 1, 1ull << 40, &node.hint_bytes_max);
  block.Number("hint_bytes_per_second", 1, 1ull << 40, &node.hint_bytes_per_second);
  block.Number("hint_age_max_ms", 1, 365 * kMillisecondsMax, &node.hint_age_max_us,
               kMicrosPerMilli);
  block.Number("tombstone_keep_ms", 0, 365 * kMillisecondsMax, &node.tombstone_keep_us,
               kMicrosPerMilli);
  block.Number("tombstone_interval_ms", 0, 365 * kMillisecondsMax, &node.tombstone_interval_us,
               kMicrosPerMilli);
  block.Number("tombstone_scan_bytes_per_second", 1, 1ull << 40,
               &node.tombstone_scan_bytes_per_second);
  if (node.id == kNoNode) block.Fail("id", "is missing: say which member this node is");
  if (config->engine.dir.empty()) {
    block.Fail("data_dir", "is missing: name a directory for this node's data");
  }
}

void TakeStorage(const Block& block, Config* config) {
  storage::EngineOptions* const engine = &config->engine;
  static const std::map<std::string, storage::SyncMode> kModes = {
      {"always", storage::SyncMode::kAlways},
      {"interval", storage::SyncMode::kInterval},
      {"none", storage::SyncMode::kNone}};
  std::string sync = "always";
  block.Text("sync", &sync);
  const auto mode = kModes.find(sync);
  if (mode == kModes.end()) {
    block.Fail("sync", absl::StrCat("is \"", sync, "\": write always, interval or none"));
  } else {
    engine->sync_mode = mode->second;
  }
  block.Number("sync_interval_ms", 1, 60'000, &config->sync_interval_us, kMicrosPerMilli);
  block.Number("scrub_bytes_per_second", 0, 1ull << 40, &config->scrub_bytes_per_second);
  block.Choice("compression", &engine->compression);
  engine->last_level_compression = engine->compression;
  block.Choice("last_level_compression", &engine->last_level_compression);
  block.Number("record_cache_bytes", 0, 1ull << 40, &engine->record_cache_bytes);
  block.Number("memtable_bytes", 64u << 10, 4ull << 30, &engine->memtable_bytes);
  block.Number("immutable_memtables_max", 1, 64, &engine->immutable_memtables_max);
  block.Number("wal_preallocate_bytes", 0, 4ull << 30, &engine->wal_preallocate_bytes);
  block.Number("block_bytes", 256, 1u << 20, &engine->block_bytes);
  block.Number("block_restart_interval", 1, 1024, &engine->block_restart_interval);
  block.Number("index_partition_bytes", 256, 64u << 20, &engine->index_partition_bytes);
  block.Number("bloom_bits_per_key", 0, 64, &engine->bloom_bits_per_key);
  block.Number("block_cache_bytes", 0, 1ull << 40, &engine->block_cache_bytes);
  block.Number("level0_tables_to_compact", 2, 64, &engine->level0_tables_to_compact);
  block.Number("level0_percent", 1, 1000, &engine->level0_percent);
  block.Number("level0_tables_max", 2, 256, &engine->level0_tables_max);
  block.Number("level1_bytes", 1u << 20, 1ull << 40, &engine->level1_bytes);
  block.Number("level_growth", 2, 100, &engine->level_growth);
  block.Number("table_bytes", 64u << 10, 4ull << 30, &engine->table_bytes);
  constexpr uint64_t kCompactionRateMin = 1u << 20;
  uint64_t* const rate = &engine->compaction_bytes_per_second;
  block.Number("compaction_bytes_per_second", 0, 1ull << 40, rate);
  if (*rate != 0 && *rate < kCompactionRateMin) {
    block.Fail("compaction_bytes_per_second",
               absl::StrCat("is ", *rate, ": it must be 0, for no limit, or at least ",
                            kCompactionRateMin));
  }
}

void TakeLog(const Block& block, Config* config) {
  static const std::map<std::string, LogLevel> kLevels = {{"debug", LogLevel::kDebug},
                                                          {"info", LogLevel::kInfo},
                                                          {"warning", LogLevel::kWarning},
                                                          {"error", LogLevel::kError}};
  std::string level = "info";
  block.Text("level", &level);
  const auto found = kLevels.find(level);
  if (found == kLevels.end()) {
    block.Fail("level", absl::StrCat("is \"", level, "\": write debug, info, warning or error"));
  } else {
    config->log_level = found->second;
  }
  block.Number("notes_per_second_max", 1, 1u << 20, &config->notes_per_second_max);
}

// Where in the file the fault stands that norn::Validate() found. Its messages begin with the
// thing ("bucket 3 (name): w is 4", "member 2: ...", "partitions is ..."); one that names no
// such thing is about the file as a whole.
std::string FaultPosition(const v1::NodeConfig& proto, const Block& root,
                          absl::string_view message) {
  const Block cluster = root.Inner("cluster");
  for (int i = 0; i < proto.cluster().bucket_size(); ++i) {
    const v1::BucketSettings& bucket = proto.cluster().bucket(i);
    if (!absl::StartsWith(message, absl::StrCat("bucket ", bucket.id(), " ("))) continue;
    const Block block = cluster.Inner("bucket", i);
    for (const char* field : {"n", "r", "w", "r_min", "w_min", "name", "prune_entries_above"}) {
      const bool named = absl::StrContains(message, absl::StrCat("): ", field, " is "));
      if (named && block.Has(field)) return block.Where(field);
    }
    return cluster.Where("bucket", i);
  }
  for (int i = 0; i < proto.cluster().member_size(); ++i) {
    if (absl::StartsWith(message, absl::StrCat("member ", proto.cluster().member(i).id(), ":"))) {
      return cluster.Where("member", i);
    }
  }
  if (absl::StartsWith(message, "partitions ")) return cluster.Where("partitions");
  if (absl::StartsWith(message, "this node's id ")) return root.Inner("node").Where("id");
  if (absl::StartsWith(message, "node:")) return root.Where("node");
  return root.Where("cluster");
}

void AddWarnings(Config* config) {
  for (const BucketConfig& bucket : config->cluster.buckets) {
    if (bucket.sloppy) {
      config->warnings.push_back(absl::StrCat(
          "bucket ", bucket.id, " (", bucket.name,
          "): it is sloppy, so a read may miss the latest write, even with r + w above n"));
    } else if (bucket.RMin() + bucket.WMin() <= bucket.n) {
      config->warnings.push_back(absl::StrCat("bucket ", bucket.id, " (", bucket.name,
                                              "): r + w is not above n, so a read may miss ",
                                              "the latest write"));
    }
    if (bucket.prune_entries_above != 0) {
      config->warnings.push_back(absl::StrCat(
          "bucket ", bucket.id, " (", bucket.name, "): prune_entries_above is set: values that ",
          "were replaced or deleted can come back as false siblings"));
    }
  }
}

std::string Resolve(const std::string& named, const std::string& config_path) {
  if (named.empty() || named.front() == '/') return named;
  const size_t slash = config_path.rfind('/');
  return slash == std::string::npos ? named : config_path.substr(0, slash + 1) + named;
}

absl::StatusOr<std::string> ReadWholeFile(const std::string& path, absl::string_view what) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (!file) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": cannot read the ", what, ": check the path and its permissions"));
  }
  return text.str();
}

}  // namespace

absl::StatusOr<Config> ParseConfig(absl::string_view text, const std::string& path) {
  v1::NodeConfig proto;
  SyntaxErrors errors(path);
  TextFormat::ParseInfoTree tree;
  TextFormat::Parser parser;
  parser.RecordErrorsTo(&errors);
  parser.WriteLocationsTo(&tree);
  if (!parser.ParseFromString(std::string(text), &proto)) return errors.status();

  Config config;
  absl::Status error;
  const Block root(proto, &tree, path, "", &error);
  TakeCluster(proto.cluster(), root.Inner("cluster"), &config);
  TakeNode(root.Inner("node"), &config);
  TakeStorage(root.Inner("storage"), &config);
  TakeLog(root.Inner("log"), &config);
  if (!error.ok()) return error;

  ClusterConfig complete = config.cluster;
  if (!config.secret_file.empty()) complete.secret = "in a file";  // LoadConfig looks into it
  if (absl::Status status = Validate(complete, config.node); !status.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(FaultPosition(proto, root, status.message()), status.message()));
  }
  for (const MemberConfig& member : config.cluster.members) {
    if (member.id == config.node.id && config.peer_listen.empty()) {
      config.peer_listen = member.address;
    }
  }
  if (config.client_listen == config.peer_listen) {
    root.Inner("node").Fail("client_listen",
                            "is the peer port too: clients need a port of their own");
    return error;
  }
  config.engine.dir = Resolve(config.engine.dir, path);
  config.checkpoint_dir = Resolve(config.checkpoint_dir, path);
  config.secret_file = Resolve(config.secret_file, path);
  config.engine.owner = absl::StrCat(config.cluster.name, "/", config.node.id);
  AddWarnings(&config);
  return config;
}

absl::StatusOr<Config> LoadConfig(const std::string& path) {
  absl::StatusOr<std::string> text = ReadWholeFile(path, "configuration file");
  if (!text.ok()) return text.status();
  absl::StatusOr<Config> config = ParseConfig(*text, path);
  if (!config.ok() || config->secret_file.empty()) return config;
  absl::StatusOr<std::string> secret =
      ReadWholeFile(config->secret_file, "secret that cluster.secret_file names");
  if (!secret.ok()) return secret.status();
  config->cluster.secret = std::string(absl::StripAsciiWhitespace(*secret));
  if (config->cluster.secret.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(config->secret_file, ": the secret is empty: write a line of random text"));
  }
  return config;
}

}  // namespace norn::node
