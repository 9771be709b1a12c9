// A Storage port in memory whose disk does what a test wants: be slow, fail, forget.
//
// It keeps the contract of core/store.h: updates of a key take effect in the order in
// which they came, the next one sees the one before, and no reply leaves before what it
// tells is durable. What is not durable is lost in a crash.
//
// Not a mock: it runs the core's own record functions. The real store is storage/.

#ifndef NORN_CORE_TESTING_MEMORY_STORE_H_
#define NORN_CORE_TESTING_MEMORY_STORE_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/causality/record_hasher.h"
#include "core/ports.h"
#include "core/ring/position.h"
#include "core/store.h"

namespace norn::testing {

class MemoryStore : public Storage {
 public:
  explicit MemoryStore(RecordHasher hasher) : hasher_(hasher) {}

  void Submit(StoreRequest&& request) override;

  // While held nothing becomes durable but by Sync().
  void Hold(bool held);
  void Sync();
  // The sync of all that waits fails: in doubt for ever, and nothing is written any more
  // (until the next start).
  void FailSync();

  // Records that cannot be read: reads, updates and scans over them fail. A key that is spoilt is
  // told as damage, until it is excised.
  void SpoilKey(std::string record_key) { spoilt_[std::move(record_key)] = Spoilt{sequence_}; }
  // How many are not excised yet.
  size_t spoilt() const { return spoilt_.size(); }
  void SpoilAll(bool spoilt) { all_spoilt_ = spoilt; }
  void MendAll();
  void SetFull(bool full) { full_ = full; }
  void FailSlots(bool fail) { slots_fail_ = fail; }

  // The machine dies: what was not durable is gone, and so are the replies.
  void Crash();
  // The disk is replaced by an empty one.
  void Wipe();
  // What the next start is told.
  StoreRecovery Recover(bool doubtful);

  // How many replies may leave, and the one at `index` (in a test's own order).
  size_t ready() const { return ready_.size(); }
  // Of those, how many from the first on may leave in any order: a scan's reply keeps its place.
  size_t unordered() const;
  StoreReply TakeReply(size_t index);
  size_t waiting() const { return waiting_.size(); }

  // What is applied, durable or not; empty: nothing.
  std::string Get(PartitionId partition, const std::string& record_key) const;
  // Puts bytes there behind the node's back, as bit rot would: its trees do not hear of it.
  void Plant(PartitionId partition, const std::string& record_key, const std::string& record);
  // A small durable value, and another in its place ("": none), for the next start to find.
  std::string Slot(const std::string& name) const {
    const auto it = slots_.find(name);
    return it == slots_.end() ? std::string() : it->second;
  }
  void SetSlot(const std::string& name, std::string bytes) { slots_[name] = std::move(bytes); }
  // Ordered as a store scans.
  struct Place {
    Place(PartitionId partition_in, std::string key_in)
        : partition(partition_in), position(PositionOf(key_in)), key(std::move(key_in)) {}

    PartitionId partition;
    Position position;
    std::string key;  // record key
    friend auto operator<=>(const Place&, const Place&) = default;
  };
  const std::map<Place, std::string>& records() const { return applied_; }

 private:
  struct Waiting {
    StoreReply reply;
    bool is_scan = false;
    std::map<Place, std::string> written;
    std::map<std::string, std::string> slots;
    std::vector<Place> excised;
  };
  struct Spoilt {
    uint64_t sequence = 0;           // the newest then
    bool rewritten = false;          // since: it can be read, though scans still fail
    bool rewritten_durably = false;  // ... and survives a crash
  };

  // An empty record is none.
  static void Set(std::map<Place, std::string>* records, const Place& place,
                  const std::string& record);
  Waiting Run(StoreUpdate&& update);
  Waiting Run(StoreRead&& read);
  Waiting Run(StoreScan&& scan);
  Waiting Run(StoreSlot&& slot);
  Waiting Run(StoreDamage&& damage);
  Waiting Run(StoreExcise&& excise);
  std::map<Place, std::string>::const_iterator FirstAt(PartitionId partition,
                                                       const std::string& cursor) const;
  bool IsSpoilt(const std::string& record_key) const {
    const auto it = spoilt_.find(record_key);
    return all_spoilt_ || (it != spoilt_.end() && !it->second.rewritten);
  }

  const RecordHasher hasher_;
  uint64_t sequence_ = 0;          // of the newest change that is applied
  uint64_t durable_sequence_ = 0;  // of the newest that is durable
  std::map<Place, std::string> applied_;
  std::map<Place, std::string> durable_;
  std::map<std::string, std::string> slots_;  // durable
  std::deque<Waiting> waiting_;
  struct Ready {
    StoreReply reply;
    bool is_scan = false;
  };
  std::vector<Ready> ready_;
  std::map<std::string, Spoilt> spoilt_;
  bool all_spoilt_ = false;
  bool held_ = false;
  bool full_ = false;
  bool slots_fail_ = false;
  bool poisoned_ = false;
};

}  // namespace norn::testing

#endif  // NORN_CORE_TESTING_MEMORY_STORE_H_
