// What anti-entropy costs: bytes and messages for few differences among many keys, and the
// convergence of two replicas that were apart.
//
// Two nodes hold the same 1,000,000 records (N=2). For each figure some keys are made to
// differ; then one node goes on with its routine exchanges, and everything sent is counted,
// encoded as on the wire, until it has compared all its partitions and both are equal.
// Time is virtual: a message takes 0.5 ms and its bytes at 1 Gbit/s, a read 0.1 ms, a write
// 1 ms; the throttle is the default one. Beside Norn's figures stands the exchange of every
// key's hash, which is what pages without trees would have to send, and the theoretical
// minimum: the records that must travel.
//
//   bazel run --config=release //benchmarks:anti_entropy -- [--quick] [--json FILE]
//
// --quick: 100,000 keys, and a tenth of the differences.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/causality/record.h"
#include "core/causality/record_hasher.h"
#include "core/check.h"
#include "core/host.h"
#include "core/random.h"
#include "core/replication/record_ops.h"
#include "core/ring/layout.h"
#include "core/ring/position.h"
#include "net/codec.h"

namespace norn {
namespace {

constexpr int64_t kMessageUs = 500;
constexpr int64_t kBytesPerUs = 125;  // 1 Gbit/s
constexpr int64_t kReadUs = 100;
constexpr int64_t kWriteUs = 1'000;
constexpr int64_t kAnHour = 3'600'000'000;
constexpr size_t kValueBytes = 100;

std::string MakeRecord(NodeId node, uint64_t counter, uint64_t seed) {
  Record record;
  Version version;
  version.dot = {MakeIncarnation(node, 1), counter};
  version.wall_us = 1'700'000'000'000'000;
  Random random(seed);
  version.value.resize(kValueBytes);
  for (char& byte : version.value) byte = static_cast<char>(random.Below(256));
  record.Put(version, VersionVector());
  return record.Encode();
}

std::string KeyOf(uint64_t i) { return MakeRecordKey(0, absl::StrCat("user:", 10'000'000 + i)); }

struct Sent {
  uint64_t messages = 0;
  uint64_t bytes = 0;
};

// Events of two nodes in virtual time.
class World {
 public:
  explicit World(const ClusterConfig& cluster);

  // Behind the nodes' backs: before Start().
  void Load(NodeId id, const std::string& key, const std::string& record);
  void Start();
  // As if a coordinator had reached only this node.
  void Write(NodeId id, const std::string& key, const std::string& record);
  void RunUntil(int64_t us);
  bool Equal() const;
  void Reset() { sent_ = Sent(); }
  Sent sent() const { return sent_; }
  int64_t now_us() const { return now_us_; }
  int64_t last_change_us() const { return last_change_us_; }
  NodeStatus Status(NodeId id) const { return machines_.at(id)->host->node().Status(); }

 private:
  struct Machine final : Clock, MessageBus, Storage, ClientPort, Timer, NoteSink {
    Machine(World& world_in, NodeId id_in) : world(world_in), id(id_in) {}
    Now Read() override { return Now{world.now_us_, world.now_us_ + 1'700'000'000'000'000}; }
    void Send(NodeId to, Message&& message) override { world.Carry(id, to, std::move(message)); }
    void Submit(StoreRequest&& request) override { world.Submit(*this, std::move(request)); }
    void Reply(ClientReply&&) override {}
    void Arm(int64_t deadline_us) override {
      const uint64_t arming = ++armings;
      if (deadline_us == kNever) return;
      world.At(deadline_us, id, TimerFired{}, arming);
    }
    void Write(const Note& note) override {
      if (note.level == Note::Level::kError) std::fprintf(stderr, "%s\n", note.text.c_str());
    }

    World& world;
    const NodeId id;
    std::unique_ptr<Host> host;
    // Partition, big-endian, and cursor.
    std::map<std::string, std::string> records;
    uint64_t sequence = 0;
    uint64_t armings = 0;
  };
  struct Due {
    NodeId to = kNoNode;
    Event event;
    uint64_t arming = 0;  // of a timer
  };

  void At(int64_t us, NodeId to, Event&& event, uint64_t arming = 0) {
    due_[{std::max(us, now_us_), ++last_due_}] = Due{to, std::move(event), arming};
  }
  void Deliver(NodeId to, Event&& event) { machines_.at(to)->host->Deliver(std::move(event)); }
  void Carry(NodeId from, NodeId to, Message&& message);
  void Submit(Machine& machine, StoreRequest&& request);
  StoreReply Update(Machine& machine, StoreUpdate&& update);
  static StoreReply Scan(const Machine& machine, const StoreScan& scan);
  std::string Place(PartitionId partition, const std::string& cursor) const {
    return std::string{static_cast<char>(partition >> 8), static_cast<char>(partition & 0xff)} +
           cursor;
  }

  const ClusterConfig cluster_;
  const RecordHasher hasher_;
  std::map<NodeId, std::unique_ptr<Machine>> machines_;
  std::map<std::pair<int64_t, uint64_t>, Due> due_;
  uint64_t last_due_ = 0;
  int64_t now_us_ = 1;
  int64_t last_change_us_ = 0;
  std::map<std::pair<NodeId, NodeId>, int64_t> link_free_us_;
  Sent sent_;
  std::string scratch_;
};

World::World(const ClusterConfig& cluster)
    : cluster_(cluster), hasher_(cluster.name, cluster.secret) {
  for (const MemberConfig& member : cluster_.members) {
    machines_[member.id] = std::make_unique<Machine>(*this, member.id);
  }
}

void World::Load(NodeId id, const std::string& key, const std::string& record) {
  const PartitionId partition = PartitionOfHash(RingHash(key), cluster_.partitions);
  machines_.at(id)->records[Place(partition, CursorOf(key))] = record;
}

void World::Start() {
  for (auto& [id, machine] : machines_) {
    NodeOptions options;
    options.id = id;
    options.gossip_interval_us = kAnHour;
    options.suspect_after_us = 2 * kAnHour;
    options.tree_scrub_interval_us = 0;
    options.damage_check_interval_us = 0;
    if (id != 1) options.exchange_interval_us = 24 * kAnHour;  // one side asks
    Machine* const m = machine.get();
    m->host = std::make_unique<Host>(cluster_, options, Ports{m, m, m, m, m, m});
    norn::Start start;
    start.seed = id;
    Deliver(id, std::move(start));
  }
  RunUntil(now_us_ + 60'000'000);
  for (const auto& [id, machine] : machines_) CORE_CHECK(Status(id).trees_building == 0);
}

void World::Write(NodeId id, const std::string& key, const std::string& record) {
  ReplicaWrite write;
  write.layout = 1;
  write.partition = PartitionOfHash(RingHash(key), cluster_.partitions);
  write.key = key;
  write.record = record;
  Deliver(id, MessageReceived{static_cast<NodeId>(3 - id), std::move(write)});
}

void World::Carry(NodeId from, NodeId to, Message&& message) {
  if (std::holds_alternative<Gossip>(message)) return;
  if (std::holds_alternative<ReplicaWriteReply>(message)) return;  // of Write()
  const size_t bytes = net::EncodedSize(message);
  ++sent_.messages;
  sent_.bytes += bytes;
  int64_t& free_us = link_free_us_[{from, to}];
  free_us = std::max(free_us, now_us_) + static_cast<int64_t>(bytes) / kBytesPerUs;
  At(free_us + kMessageUs, to, MessageReceived{from, std::move(message)});
}

void World::Submit(Machine& machine, StoreRequest&& request) {
  StoreReply reply;
  int64_t takes_us = kReadUs;
  if (StoreUpdate* const update = std::get_if<StoreUpdate>(&request)) {
    takes_us = kWriteUs;
    reply = Update(machine, std::move(*update));
  } else if (const StoreScan* const scan = std::get_if<StoreScan>(&request)) {
    // What a page shows is told after the changes that it shows are durable.
    takes_us = kWriteUs;
    reply = Scan(machine, *scan);
  } else if (const StoreRead* const read = std::get_if<StoreRead>(&request)) {
    takes_us = kWriteUs;
    reply.ticket = read->ticket;
    const auto it = machine.records.find(Place(read->partition, CursorOf(read->key)));
    if (it != machine.records.end()) reply.record = it->second;
  } else {
    reply.ticket = std::get<StoreSlot>(request).ticket;
    reply.applied = true;
  }
  At(now_us_ + takes_us, machine.id, std::move(reply));
}

StoreReply World::Update(Machine& machine, StoreUpdate&& update) {
  StoreReply reply;
  reply.ticket = update.ticket;
  std::string& current = machine.records[Place(update.partition, CursorOf(update.key))];
  reply.status = ApplyOp(update.op, current, &scratch_);
  CORE_CHECK(reply.status.ok());
  reply.applied = true;
  if (scratch_ == current) return reply;
  RecordChange change;
  change.sequence = ++machine.sequence;
  change.partition = update.partition;
  change.before = hasher_.Hash(update.key, current);
  change.after = hasher_.Hash(update.key, scratch_);
  change.key = std::move(update.key);
  reply.change = std::move(change);
  current = scratch_;
  last_change_us_ = now_us_;
  return reply;
}

StoreReply World::Scan(const Machine& machine, const StoreScan& scan) {
  StoreReply reply;
  reply.ticket = scan.ticket;
  const std::string prefix{static_cast<char>(scan.partition >> 8),
                           static_cast<char>(scan.partition & 0xff)};
  size_t bytes = 0;
  for (auto it = machine.records.lower_bound(prefix + scan.from); it != machine.records.end();
       ++it) {
    if (it->first.compare(0, prefix.size(), prefix) != 0) break;
    const std::string cursor = it->first.substr(prefix.size());
    if (!scan.to.empty() && cursor >= scan.to) break;
    if (reply.entries.size() >= scan.entries_max || bytes >= scan.bytes_max) {
      reply.next = cursor;
      break;
    }
    reply.entries.push_back({cursor.substr(kPositionBytes), it->second});
    bytes += cursor.size() + it->second.size();
  }
  return reply;
}

void World::RunUntil(int64_t us) {
  while (!due_.empty() && due_.begin()->first.first <= us) {
    const auto first = due_.begin();
    now_us_ = first->first.first;
    Due due = std::move(first->second);
    due_.erase(first);
    if (std::holds_alternative<TimerFired>(due.event) &&
        due.arming != machines_.at(due.to)->armings) {
      continue;
    }
    Deliver(due.to, std::move(due.event));
  }
  now_us_ = us;
}

bool World::Equal() const { return machines_.at(1)->records == machines_.at(2)->records; }

// ---- Figures --------------------------------------------------------------------------

struct Row {
  std::string name;
  uint64_t keys = 0;
  uint64_t differing = 0;
  uint64_t messages = 0;
  uint64_t bytes = 0;
  uint64_t minimum_bytes = 0;  // the records that must travel
  uint64_t page_bytes = 0;     // every key's hash, and those records
  double seconds = 0;          // of virtual time
};

ClusterConfig Cluster() {
  ClusterConfig cluster;
  cluster.name = "benchmark";
  cluster.secret = "secret";
  for (NodeId id = 1; id <= 2; ++id) {
    MemberConfig member;
    member.id = id;
    member.address = absl::StrCat("n", id);
    cluster.members.push_back(std::move(member));
  }
  cluster.buckets.front().n = 2;
  cluster.buckets.front().r = 1;
  return cluster;
}

// A world at rest whose replicas hold the same keys.
std::unique_ptr<World> NewWorld(uint64_t keys) {
  auto world = std::make_unique<World>(Cluster());
  for (uint64_t i = 0; i < keys; ++i) {
    const std::string record = MakeRecord(9, 1, i);
    for (NodeId id = 1; id <= 2; ++id) world->Load(id, KeyOf(i), record);
  }
  world->Start();
  return world;
}

// `differing` keys are new on one side only: on node 1, or on either by turns.
Row Measure(World& world, uint64_t keys, uint64_t differing, bool both_sides, std::string name) {
  Row row;
  row.name = std::move(name);
  row.keys = keys;
  row.differing = differing;
  static uint64_t counter = 1;
  ++counter;
  Random random(counter);
  const uint64_t per_key = KeyOf(0).size() + 1 + 18 + 3;  // and its hash
  for (uint64_t i = 0; i < differing; ++i) {
    // Spread over all keys, each once.
    const uint64_t which =
        differing == 0 ? 0 : i * (keys / differing) + random.Below(keys / differing);
    const std::string record = MakeRecord(9, counter, which + counter * keys);
    world.Write(both_sides && i % 2 == 1 ? 2 : 1, KeyOf(which), record);
    row.minimum_bytes += KeyOf(which).size() + record.size();
  }
  row.page_bytes = keys * per_key + row.minimum_bytes;
  world.Reset();
  const int64_t began_us = world.now_us();
  int64_t waited_us = 0;
  // One comparison of all that is shared, at least, then until all is equal.
  const uint64_t exchanges = world.Status(1).exchanges;
  const uint64_t partitions = Cluster().partitions;
  while (world.Status(1).exchanges < exchanges + partitions || !world.Equal()) {
    world.RunUntil(world.now_us() + 100'000);
    waited_us += 100'000;
    CORE_CHECK(waited_us < kAnHour);
  }
  row.messages = world.sent().messages;
  row.bytes = world.sent().bytes;
  if (differing > 0) {
    row.seconds = static_cast<double>(world.last_change_us() - began_us) / 1e6;
  }
  return row;
}

void WriteJson(const std::vector<Row>& rows, const std::string& path) {
  std::vector<std::string> lines;
  for (const Row& row : rows) {
    lines.push_back(absl::StrCat(
        "{\"name\":\"", row.name,
        " bytes\",\"unit\":\"bytes\",\"better\":\"lower\",\"norn\":", row.bytes,
        ",\"every key's hash\":", row.page_bytes, ",\"minimum\":", row.minimum_bytes, "}"));
    lines.push_back(absl::StrCat(
        "{\"name\":\"", row.name,
        " messages\",\"unit\":\"messages\",\"better\":\"lower\",\"norn\":", row.messages, "}"));
    lines.push_back(absl::StrCat(
        "{\"name\":\"", row.name,
        " time\",\"unit\":\"virtual s\",\"better\":\"lower\",\"norn\":", row.seconds, "}"));
  }
  std::ofstream(path) << "{\"rows\":[" << absl::StrJoin(lines, ",\n") << "]}\n";
}

int Main(int argc, char** argv) {
  uint64_t keys = 1'000'000;
  std::string json;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--quick") == 0) {
      keys = 100'000;
    } else if (std::strcmp(argv[i], "--json") == 0 && i + 1 < argc) {
      json = argv[++i];
    } else {
      std::fprintf(stderr, "usage: anti_entropy [--quick] [--json FILE]\n");
      return 2;
    }
  }
  const std::unique_ptr<World> world = NewWorld(keys);
  std::vector<Row> rows;
  std::printf("%-26s %10s %10s %14s %16s %14s %9s\n", "two replicas, N=2", "differing", "messages",
              "bytes", "every key's hash", "minimum bytes", "time");
  const auto measure = [&](uint64_t differing, bool both_sides, std::string name) {
    rows.push_back(Measure(*world, keys, differing, both_sides, std::move(name)));
    const Row& row = rows.back();
    std::printf("%-26s %10llu %10llu %14llu %16llu %14llu %7.2f s\n", row.name.c_str(),
                static_cast<unsigned long long>(row.differing),
                static_cast<unsigned long long>(row.messages),
                static_cast<unsigned long long>(row.bytes),
                static_cast<unsigned long long>(row.page_bytes),
                static_cast<unsigned long long>(row.minimum_bytes), row.seconds);
    std::fflush(stdout);
  };
  for (const uint64_t differing : {uint64_t{0}, uint64_t{1}, uint64_t{10}, keys / 1000}) {
    measure(differing, false, absl::StrCat(differing, " of ", keys, " differ"));
  }
  measure(keys / 10, true, absl::StrCat("healed partition, ", keys / 10));
  if (!json.empty()) WriteJson(rows, json);
  return 0;
}

}  // namespace
}  // namespace norn

int main(int argc, char** argv) { return norn::Main(argc, argv); }
