// One simulated server: a real Host, a real LSM engine on a simulated disk, and the ports
// between them and virtual time.
//
// The disk lives as long as the universe; the process (host, engine, jobs under way) dies
// with every crash and is built anew at the restart, from what the disk kept. Jobs of the
// engine run step by step in virtual time, so a crash can fall between any two file
// operations. Once the disk has crashed, nothing that the process still says is heard.

#ifndef NORN_SIM_SIM_NODE_H_
#define NORN_SIM_SIM_NODE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/config.h"
#include "core/events.h"
#include "core/host.h"
#include "core/random.h"
#include "sim/faulted_node.h"
#include "sim/keyed_seed.h"
#include "sim/message_rules.h"
#include "sim/replica_watch.h"
#include "sim/scheduler.h"
#include "sim/sim_disk.h"
#include "sim/sim_network.h"
#include "sim/trace.h"
#include "storage/engine.h"

namespace norn::sim {

// Sees what the node asks of its store and what comes back, and changes nothing.
class StoreObserver {
 public:
  virtual ~StoreObserver() = default;
  virtual void OnMint(NodeId node, const std::string& record_key, const MintOp& mint) = 0;
  // The record that resulted; empty if the node did not ask for it.
  virtual void OnMinted(const Dot& dot, const std::string& record) = 0;
  // A page of records that the node looks at for tombstones, and the removal of one of them.
  virtual void OnLooked(const std::vector<KeyRecord>& entries) = 0;
  virtual void OnRemove(const std::string& record_key, const RecordHash& hash) = 0;
  // The store changed nothing, for certain.
  virtual void OnRefused(const Dot& dot) = 0;
};

class SimNode final : public FaultedNode {
 public:
  using ReplySink = std::function<void(NodeId node, ClientReply&& reply)>;
  using CrashSink = std::function<void(NodeId node)>;

  SimNode(Scheduler& scheduler, Trace& trace, SimNetwork& network, const ClusterConfig& cluster,
          const NodeOptions& options, const storage::EngineOptions& engine, KeyedSeed seed,
          StoreObserver* observer, std::vector<Fault>* plan, MessageRules* rules, ReplySink replies,
          CrashSink crashed);
  ~SimNode() override;

  // Opens the engine, which recovers, and starts the node.
  bool StartUp(std::string* error) override;
  bool up() const override { return process_ != nullptr; }

  void DeliverMessage(NodeId from, const std::string& bytes);
  void DeliverRequest(ClientRequest&& request);

  // The lease is not restored: without it the node begins new incarnations.
  void Restore(const SimDisk& copy) override;

  uint64_t damage_met() const override;
  bool hurt() const override;

  // What this node would still hold if its power failed now: every record, by record key,
  // recovered by the real engine from a copy of the disk. Empty if that cannot be opened.
  std::map<std::string, std::string> DurableRecords() const;
  // The same by the engine's keys, as they are stored: hints are hints.
  std::map<std::string, std::string> DurableEntries() const;

  // Whether the last start found that the store may have lost something.
  bool doubts_its_store() const override { return doubts_its_store_; }
  bool refuses_writes() const override;
  // Null while down.
  storage::Engine* engine();
  const Node* node() const;
  // Hints that it was asked to store, and to remove, in all its lives.
  uint64_t hints_written() const { return hints_written_; }
  uint64_t hints_minted() const { return hints_minted_; }
  uint64_t hints_removed() const { return hints_removed_; }

 private:
  struct Process;

  void OnTimer(uint64_t arming, uint64_t epoch);

  void Deliver(Event&& event);
  void DrainEvents();
  void StartJobs();
  void StepJob(size_t slot, uint64_t epoch);
  bool BuryIfCrashed() override;
  void AwaitScrub(uint64_t epoch);
  void AwaitDelayedReplies();
  void OnDelayedReplies(uint64_t epoch);
  void AwaitCompaction();
  void OnCompactionDue(int64_t due_us, uint64_t epoch);

  SimNetwork& network_;
  ClusterConfig cluster_;
  NodeOptions options_;
  storage::EngineOptions engine_options_;
  const KeyedSeed seed_;
  StoreObserver* observer_;
  MessageRules* rules_;
  ReplySink reply_sink_;
  CrashSink crash_sink_;
  uint64_t lives_ = 0;     // begun so far; each has chances of its own
  bool restored_ = false;  // since the last start
  bool doubts_its_store_ = false;
  uint64_t hints_written_ = 0, hints_minted_ = 0, hints_removed_ = 0;
  std::unique_ptr<ReplicaWatch> watch_;  // if somebody listens to the trace
  std::unique_ptr<Process> process_;
};

}  // namespace norn::sim

#endif  // NORN_SIM_SIM_NODE_H_
