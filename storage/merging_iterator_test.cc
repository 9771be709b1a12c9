#include "storage/merging_iterator.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/random.h"
#include "gtest/gtest.h"

namespace norn::storage {
namespace {

// What an iterator is to say, one after the other.
struct Script {
  enum class Kind { kEntry, kStall, kError };
  Kind kind = Kind::kEntry;
  std::string key;
  uint64_t sequence = 0;
};

class ScriptedIterator : public Iterator {
 public:
  explicit ScriptedIterator(std::vector<Script> script) : script_(std::move(script)) {}

  void Seek(absl::string_view key) override {
    at_ = 0;
    while (at_ < script_.size() && script_[at_].key < key) ++at_;
    Settle();
  }
  void Next() override {
    ++at_;
    Settle();
  }
  void Resume() override {
    ++at_;
    Settle();
  }
  absl::string_view key() const override { return script_[at_].key; }
  absl::string_view value() const override { return script_[at_].key; }
  uint64_t sequence() const override { return script_[at_].sequence; }
  EntryKind kind() const override { return EntryKind::kValue; }
  absl::Status status() const override { return absl::DataLossError("scripted"); }
  absl::string_view error_from() const override { return script_[at_].key; }
  absl::string_view error_until() const override { return script_[at_].key; }

 private:
  void Settle() {
    if (at_ == script_.size()) {
      state_ = State::kEnd;
    } else if (script_[at_].kind == Script::Kind::kEntry) {
      state_ = State::kEntry;
    } else {
      state_ = script_[at_].kind == Script::Kind::kStall ? State::kStalled : State::kError;
    }
  }

  std::vector<Script> script_;
  size_t at_ = 0;
};

std::string Drain(std::vector<std::vector<Script>> scripts) {
  std::vector<std::unique_ptr<Iterator>> children;
  for (std::vector<Script>& script : scripts) {
    children.push_back(std::make_unique<ScriptedIterator>(std::move(script)));
  }
  MergingIterator merged(std::move(children));
  std::string result;
  merged.Seek("");
  for (;;) {
    switch (merged.state()) {
      case Iterator::State::kEntry:
        absl::StrAppend(&result, merged.key(), merged.sequence(), " ");
        merged.Next();
        break;
      case Iterator::State::kStalled:
        absl::StrAppend(&result, "stall ");
        merged.Resume();
        break;
      case Iterator::State::kError:
        return absl::StrCat(result, "error from ", merged.error_from());
      case Iterator::State::kEnd:
        return result + "end";
    }
  }
}

Script Entry(std::string key, uint64_t sequence) {
  return {.kind = Script::Kind::kEntry, .key = std::move(key), .sequence = sequence};
}

TEST(MergingIteratorTest, OrdersByKeyThenNewestFirst) {
  EXPECT_EQ(Drain({{Entry("a", 1), Entry("c", 9)}, {Entry("a", 5), Entry("b", 2)}, {}}),
            "a5 a1 b2 c9 end");
  EXPECT_EQ(Drain({}), "end");
}

TEST(MergingIteratorTest, WaitsForWhoStalls) {
  // What a stalled iterator says of its key means nothing.
  const Script stall{.kind = Script::Kind::kStall, .key = "z", .sequence = 0};
  EXPECT_EQ(Drain({{stall, Entry("b", 1)}, {Entry("a", 2), Entry("c", 3)}}), "stall a2 b1 c3 end");
  const Script later{.kind = Script::Kind::kStall, .key = "b", .sequence = 0};
  EXPECT_EQ(Drain({{Entry("a", 1), later, Entry("b", 1)}, {Entry("a", 2), Entry("c", 3)}}),
            "a2 a1 stall b1 c3 end");
}

TEST(MergingIteratorTest, AnErrorComesInItsPlace) {
  const Script error{.kind = Script::Kind::kError, .key = "b", .sequence = 0};
  EXPECT_EQ(Drain({{Entry("a", 1), error}, {Entry("a", 2), Entry("c", 3)}}), "a2 a1 error from b");
  // Before an entry of the same key: the unreadable one might be newer.
  EXPECT_EQ(Drain({{error}, {Entry("b", 3)}}), "error from b");
}

TEST(MergingIteratorTest, ManyChildrenAgreeWithSorting) {
  Random random(3);
  std::vector<std::vector<Script>> scripts(9);
  std::vector<std::pair<std::string, uint64_t>> all;
  for (uint64_t sequence = 1; sequence < 2000; ++sequence) {
    all.emplace_back(absl::StrCat("k", random.Below(500)), sequence);
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : a.second > b.second;
  });
  std::string expected;
  for (const auto& [key, sequence] : all) {
    scripts[random.Below(9)].push_back(Entry(key, sequence));
    absl::StrAppend(&expected, key, sequence, " ");
  }
  EXPECT_EQ(Drain(std::move(scripts)), expected + "end");
}

}  // namespace
}  // namespace norn::storage
