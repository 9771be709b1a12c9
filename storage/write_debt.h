// How far flushes and compactions lag behind the puts, and what a put's answer waits for it.
//
// Without this a writer learns of the lag all at once: when no memtable is free, puts are refused.
// Writers that wait for their answers come back later if those are late, so that the puts settle
// at a rate that the disk can keep up with: late by little while the debt is small, and by 10 ms
// at most. (LevelDB delays a write by 1 ms from 8 tables at level 0 on; RocksDB lowers a rate.)
//
// Pure functions of integers, for both worlds.

#ifndef NORN_STORAGE_WRITE_DEBT_H_
#define NORN_STORAGE_WRITE_DEBT_H_

#include <algorithm>
#include <cstdint>

namespace norn::storage {

inline constexpr int kWriteDebtMax = 1000;

struct WriteBacklog {
  uint64_t memtable_bytes = 0;  // of the one that takes puts
  uint64_t memtable_bytes_max = 0;
  uint64_t immutable_memtables = 0;
  uint64_t immutable_memtables_max = 0;
  uint64_t level0_tables = 0;
  uint64_t level0_tables_max = 0;    // as many as there should ever be
  uint64_t level0_tables_crowd = 0;  // above: flushes wait
};

// From 0, nothing to speak of, to kWriteDebtMax: the next put may be refused, or flushes wait for
// compactions. The levels below are not in it: that they are too large delays nobody's put.
inline int WriteDebt(const WriteBacklog& backlog) {
  // How far `value` is on its way from `from` to `to`, in thousandths.
  const auto way = [](uint64_t value, uint64_t from, uint64_t to) -> int {
    if (value <= from) return 0;
    if (value >= to) return kWriteDebtMax;
    return static_cast<int>((value - from) * kWriteDebtMax / (to - from));
  };
  // While a memtable is flushed the next one fills: that is no debt before it is half full.
  int memory = 0;
  if (backlog.immutable_memtables >= backlog.immutable_memtables_max) {
    memory =
        way(backlog.memtable_bytes, backlog.memtable_bytes_max / 2, backlog.memtable_bytes_max);
  }
  const int level0 =
      way(backlog.level0_tables, backlog.level0_tables_max, backlog.level0_tables_crowd);
  return std::max(memory, level0);
}

// In microseconds: grows with the square of the debt.
inline int64_t PutDelayUs(int debt) {
  constexpr int64_t kPutDelayUsMax = 10'000;
  return kPutDelayUsMax * debt * debt / (kWriteDebtMax * kWriteDebtMax);
}

}  // namespace norn::storage

#endif  // NORN_STORAGE_WRITE_DEBT_H_
