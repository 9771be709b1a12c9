// As much of io_uring as reads of blocks need, by its system calls: a ring of one thread.
// (J. Axboe, Efficient IO with io_uring, 2019.)

#ifndef NORN_BENCHMARKS_ENGINES_IO_RING_H_
#define NORN_BENCHMARKS_ENGINES_IO_RING_H_

#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "benchmarks/engines/process_usage.h"

namespace norn::benchmarks {

class IoRing {
 public:
  explicit IoRing(uint32_t entries) {
    io_uring_params params = {};
    fd_ = static_cast<int>(syscall(__NR_io_uring_setup, entries, &params));
    if (fd_ < 0) Die(absl::StrCat("io_uring_setup: ", std::strerror(errno)));
    // One mapping holds both rings wherever IORING_FEAT_SINGLE_MMAP is, which is from Linux 5.4 on.
    rings_bytes_ = std::max(params.sq_off.array + params.sq_entries * sizeof(uint32_t),
                            params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe));
    auto* const rings = static_cast<char*>(Map(rings_bytes_, IORING_OFF_SQ_RING));
    rings_ = rings;
    sqes_bytes_ = params.sq_entries * sizeof(io_uring_sqe);
    sqes_ = static_cast<io_uring_sqe*>(Map(sqes_bytes_, IORING_OFF_SQES));
    sq_tail_ = reinterpret_cast<uint32_t*>(rings + params.sq_off.tail);
    sq_mask_ = *reinterpret_cast<uint32_t*>(rings + params.sq_off.ring_mask);
    sq_array_ = reinterpret_cast<uint32_t*>(rings + params.sq_off.array);
    cq_head_ = reinterpret_cast<uint32_t*>(rings + params.cq_off.head);
    cq_tail_ = reinterpret_cast<uint32_t*>(rings + params.cq_off.tail);
    cq_mask_ = *reinterpret_cast<uint32_t*>(rings + params.cq_off.ring_mask);
    cqes_ = reinterpret_cast<io_uring_cqe*>(rings + params.cq_off.cqes);
  }
  ~IoRing() {
    munmap(rings_, rings_bytes_);
    munmap(sqes_, sqes_bytes_);
    close(fd_);
  }
  IoRing(const IoRing&) = delete;
  IoRing& operator=(const IoRing&) = delete;

  // Queues a read; `id` comes back with its end. No more of them than `entries` may be under way.
  void Read(int fd, uint64_t offset, uint32_t bytes, char* buffer, uint64_t id) {
    const uint32_t tail = *sq_tail_;
    io_uring_sqe& sqe = sqes_[tail & sq_mask_];
    sqe = {};
    sqe.opcode = IORING_OP_READ;
    sqe.fd = fd;
    sqe.off = offset;
    sqe.addr = reinterpret_cast<uint64_t>(buffer);
    sqe.len = bytes;
    sqe.user_data = id;
    sq_array_[tail & sq_mask_] = tail & sq_mask_;
    std::atomic_ref(*sq_tail_).store(tail + 1, std::memory_order_release);
    ++queued_;
  }

  // Hands over what was queued, and waits until something has ended.
  void SubmitAndWait() {
    const auto submitted =
        syscall(__NR_io_uring_enter, fd_, queued_, 1, IORING_ENTER_GETEVENTS, nullptr, 0);
    if (submitted < 0) Die(absl::StrCat("io_uring_enter: ", std::strerror(errno)));
    queued_ -= static_cast<uint32_t>(submitted);
  }

  // The next read that has ended, and its bytes or negative errno; false: none.
  bool Pop(uint64_t* id, int32_t* result) {
    const uint32_t head = *cq_head_;
    if (head == std::atomic_ref(*cq_tail_).load(std::memory_order_acquire)) return false;
    *id = cqes_[head & cq_mask_].user_data;
    *result = cqes_[head & cq_mask_].res;
    std::atomic_ref(*cq_head_).store(head + 1, std::memory_order_release);
    return true;
  }

 private:
  void* Map(size_t bytes, uint64_t what) const {
    void* const at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd_,
                          static_cast<off_t>(what));
    if (at == MAP_FAILED) Die(absl::StrCat("mmap of an io_uring: ", std::strerror(errno)));
    return at;
  }

  int fd_;
  size_t rings_bytes_ = 0;
  size_t sqes_bytes_ = 0;
  void* rings_ = nullptr;
  io_uring_sqe* sqes_ = nullptr;
  uint32_t* sq_tail_ = nullptr;
  uint32_t sq_mask_ = 0;
  uint32_t* sq_array_ = nullptr;
  uint32_t* cq_head_ = nullptr;
  uint32_t* cq_tail_ = nullptr;
  uint32_t cq_mask_ = 0;
  io_uring_cqe* cqes_ = nullptr;
  uint32_t queued_ = 0;
};

}  // namespace norn::benchmarks

#endif  // NORN_BENCHMARKS_ENGINES_IO_RING_H_
