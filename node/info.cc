#include "node/info.h"

#include <unistd.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "node/note_log.h"
#include "node/version.h"

namespace norn::node {

namespace {

// Collects "name:value\n".
class Lines {
 public:
  template <typename Value>
  void Add(absl::string_view name, const Value& value) {
    absl::StrAppend(&text_, name, ":", value, "\n");
  }
  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
};

const char* StateName(const NodeStatus& status) {
  if (status.draining) return "draining";
  return status.started ? "serving" : "starting";
}

}  // namespace

std::string ServerInfo(const ServerFacts& facts, const NodeStatus& status, int64_t now_us) {
  Lines lines;
  lines.Add("norn_version", kVersion);
  lines.Add("process_id", getpid());
  lines.Add("uptime_in_seconds", (now_us - facts.started_us) / 1'000'000);
  lines.Add("state", StateName(status));
  lines.Add("client_address", facts.client_address);
  lines.Add("peer_address", facts.peer_address);
  lines.Add("data_dir", facts.data_dir);
  lines.Add("config_file", facts.config_path);
  lines.Add("notes_suppressed", facts.notes_suppressed);
  return lines.Take();
}

std::string ClusterInfo(const ServerFacts& facts, const NodeStatus& status,
                        const net::TcpBus& bus) {
  Lines lines;
  lines.Add("cluster_name", facts.cluster);
  lines.Add("node_id", status.id);
  lines.Add("generation", status.generation);
  lines.Add("layout", status.layout);
  const auto alive = [](const MemberStatus& member) { return member.liveness == Liveness::kAlive; };
  lines.Add("members", status.members.size());
  lines.Add("members_alive", std::count_if(status.members.begin(), status.members.end(), alive));
  for (const MemberStatus& member : status.members) {
    const net::PeerStats peer = bus.stats(member.id);
    lines.Add(absl::StrCat("member_", member.id),
              absl::StrCat("address=", member.address, ",zone=", member.zone, ",state=",
                           LivenessName(member.liveness), ",generation=", member.generation,
                           ",heartbeat=", member.heartbeat, ",partitions=", member.partitions_owned,
                           ",sent=", peer.messages_sent, ",received=", peer.messages_received,
                           ",dropped=", peer.messages_dropped));
  }
  lines.Add("refused_strangers", bus.refused_strangers());
  return lines.Take();
}

std::string BucketsInfo(const ClusterConfig& cluster) {
  Lines lines;
  for (const BucketConfig& bucket : cluster.buckets) {
    lines.Add(absl::StrCat("bucket_", bucket.id),
              absl::StrJoin(DescribeBucket(bucket), ",", absl::PairFormatter("=")));
  }
  return lines.Take();
}

std::string StatsInfo(const NodeStatus& status) {
  Lines lines;
  lines.Add("requests_in_flight", status.requests_in_flight);
  lines.Add("gets", status.gets);
  lines.Add("puts", status.puts);
  lines.Add("deletes", status.deletes);
  lines.Add("forwards", status.forwards);
  lines.Add("refused", status.refused);
  lines.Add("replica_work_refused", status.replica_work_refused);
  lines.Add("replica_work_expired", status.replica_work_expired);
  lines.Add("replica_work_waiting", status.replica_work_waiting);
  lines.Add("failed_not_applied", status.failed_not_applied);
  lines.Add("failed_unknown", status.failed_unknown);
  lines.Add("failed_unavailable", status.failed_unavailable);
  lines.Add("read_repairs", status.read_repairs);
  lines.Add("digests_equal", status.digests_equal);
  lines.Add("digests_other", status.digests_other);
  lines.Add("siblings_seen", status.siblings_seen);
  lines.Add("exchanges", status.exchanges);
  lines.Add("exchanges_failed", status.exchanges_failed);
  lines.Add("exchange_roots_equal", status.exchange_roots_equal);
  lines.Add("exchange_ranges", status.exchange_ranges);
  lines.Add("exchange_records", status.exchange_records);
  lines.Add("exchange_bytes", status.exchange_bytes);
  lines.Add("trees_building", status.trees_building);
  lines.Add("tree_builds", status.tree_builds);
  lines.Add("tree_scrubs", status.tree_scrubs);
  lines.Add("tree_scanned_bytes", status.tree_scanned_bytes);
  lines.Add("tree_mismatches", status.tree_mismatches);
  lines.Add("damaged_ranges_to_mend", status.damaged_ranges);
  lines.Add("damaged_ranges_mended", status.damage_mended);
  lines.Add("dots_minted", status.dots_minted);
  lines.Add("incarnations", status.incarnations);
  lines.Add("partitions_held", status.partitions_held);
  lines.Add("partitions_complete", status.partitions_complete);
  lines.Add("partitions_unheard", status.partitions_unheard);
  lines.Add("hints_held", status.hints_held);
  lines.Add("hint_bytes", status.hint_bytes);
  lines.Add("hints_oldest_unix_ms", status.hints_oldest_wall_us / 1000);
  lines.Add("hints_taken", status.hints_taken);
  lines.Add("hints_delivered", status.hints_delivered);
  lines.Add("hints_refused", status.hints_refused);
  lines.Add("owed_held", status.owed_held);
  lines.Add("owed_sent", status.owed_sent);
  lines.Add("tombstones_removed", status.tombstones_removed);
  return lines.Take();
}

std::string StorageInfo(const StorageFacts& facts) {
  const storage::EngineStats& stats = facts.stats;
  Lines lines;
  lines.Add("writable", facts.health.ok() ? "yes" : "no");
  if (!facts.health.ok()) lines.Add("refuses_writes_because", OneLine(facts.health.ToString()));
  lines.Add("recovered_records", facts.recovery.wal_records);
  lines.Add("recovered_suspect", facts.recovery.suspect ? "yes" : "no");
  if (facts.recovery.possibly_lost_from.has_value()) {
    lines.Add("possibly_lost_from", *facts.recovery.possibly_lost_from);
  }
  lines.Add("engine_puts", stats.puts);
  lines.Add("engine_deletes", stats.deletes);
  lines.Add("engine_gets", stats.gets);
  lines.Add("wal_bytes", stats.wal_bytes);
  lines.Add("wal_syncs", stats.wal_syncs);
  lines.Add("flushes", stats.flushes);
  lines.Add("compactions", stats.compactions);
  lines.Add("table_bytes_written", stats.table_bytes_written);
  lines.Add("scrubbed_bytes", stats.scrubbed_bytes);
  lines.Add("scrub_passes", stats.scrub_passes);
  lines.Add("record_cache_records", facts.cached_records);
  lines.Add("record_cache_bytes", facts.cached_record_bytes);
  lines.Add("record_cache_hits", facts.cache_hits);
  lines.Add("record_cache_misses", facts.cache_misses);
  lines.Add("block_cache_hits", stats.block_cache_hits);
  lines.Add("block_cache_misses", stats.block_cache_misses);
  lines.Add("block_cache_bytes", stats.block_cache_bytes);
  lines.Add("block_cache_index_bytes", stats.block_cache_index_bytes);
  lines.Add("index_bytes", stats.index_bytes);
  lines.Add("filter_bytes", stats.filter_bytes);
  lines.Add("memtable_bytes", stats.memtable_bytes);
  lines.Add("immutable_memtable_bytes", stats.immutable_memtable_bytes);
  lines.Add("immutable_memtables", stats.immutable_memtables);
  lines.Add("tables", stats.tables);
  lines.Add("damaged_tables", stats.damaged_tables);
  lines.Add("damaged_ranges", stats.damaged_ranges);
  lines.Add("damaged_reads", stats.damaged_reads);
  lines.Add("read_errors", stats.read_errors);
  lines.Add("read_errors_passed", stats.read_errors_passed);
  lines.Add("bad_blocks", stats.bad_blocks);
  lines.Add("bad_blocks_passed", stats.bad_blocks_passed);
  lines.Add("table_bytes", stats.table_bytes);
  lines.Add("write_debt", facts.write_debt);
  lines.Add("delayed_replies", facts.delayed_replies);
  lines.Add("tables_per_level", absl::StrJoin(stats.tables_per_level, ","));
  lines.Add("jobs_outstanding", facts.jobs_outstanding);
  return lines.Take();
}

}  // namespace norn::node
