// The entries that every engine is given: keys of 16 digits in the order of their numbers, and
// values that compress to about half, as those of db_bench do.
//
// A value begins with its key and says where in a pool of bytes the rest comes from, so that a
// reader can tell a wrong value from a right one without keeping a copy.
//
// Made once, before the engines' processes are forked: they share its memory.

#ifndef NORN_BENCHMARKS_ENGINES_DATASET_H_
#define NORN_BENCHMARKS_ENGINES_DATASET_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace norn::benchmarks {

class Dataset {
 public:
  static constexpr size_t kKeyBytes = 16;

  Dataset(uint64_t entries, size_t value_bytes);

  uint64_t entries() const { return entries_; }
  size_t value_bytes() const { return value_bytes_; }
  uint64_t user_bytes() const { return entries_ * (kKeyBytes + value_bytes_); }

  // Entry numbers in a random order, each once.
  const std::vector<uint32_t>& shuffled() const { return shuffled_; }

  // `count` entry numbers: uniform, and Zipfian with exponent 0.99, where the hot entries are
  // spread over all keys.
  std::vector<uint32_t> Uniform(uint64_t count, uint64_t seed) const;
  std::vector<uint32_t> Zipfian(uint64_t count, uint64_t seed) const;

  // The key of entry `index`, and one right behind it that no entry has. `key` has 16 bytes.
  static void Key(uint64_t index, char* key) { Digits(2 * index, key); }
  static void MissingKey(uint64_t index, char* key) { Digits(2 * index + 1, key); }

  // The value of `key` in its `version`; `value` has value_bytes() bytes.
  void Value(absl::string_view key, uint64_t version, char* value) const;

  // Ends the process unless `value` is one of `key`'s.
  void Check(absl::string_view key, absl::string_view value) const;

 private:
  static void Digits(uint64_t number, char* out);

  uint64_t entries_;
  size_t value_bytes_;
  std::vector<uint32_t> shuffled_;
  std::string pool_;
};

}  // namespace norn::benchmarks

#endif  // NORN_BENCHMARKS_ENGINES_DATASET_H_
