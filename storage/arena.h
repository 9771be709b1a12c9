// Memory that is freed all at once.
//
// Blocks come from the heap; pieces are cut off the front of the newest one. bytes()
// counts what was asked for, not what was reserved, so that it is the same everywhere.

#ifndef NORN_STORAGE_ARENA_H_
#define NORN_STORAGE_ARENA_H_

#include <cstddef>
#include <memory>
#include <vector>

namespace norn::storage {

class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Eight-byte aligned. Lives as long as the arena.
  char* Allocate(size_t bytes) {
    const size_t rounded = (bytes + 7) & ~size_t{7};
    bytes_ += rounded;
    if (rounded > left_) return AllocateBlock(rounded);
    char* const piece = free_;
    free_ += rounded;
    left_ -= rounded;
    return piece;
  }

  size_t bytes() const { return bytes_; }

 private:
  static constexpr size_t kBlockBytes = 256u << 10;

  char* AllocateBlock(size_t rounded) {
    // A large piece gets a block of its own, so that the rest of the newest is not lost.
    const size_t size = rounded > kBlockBytes / 4 ? rounded : kBlockBytes;
    blocks_.emplace_back(new char[size]);
    char* const piece = blocks_.back().get();
    if (size > rounded) {
      free_ = piece + rounded;
      left_ = size - rounded;
    }
    return piece;
  }

  std::vector<std::unique_ptr<char[]>> blocks_;
  char* free_ = nullptr;
  size_t left_ = 0;
  size_t bytes_ = 0;
};

}  // namespace norn::storage

#endif  // NORN_STORAGE_ARENA_H_
