// kill -9 of a process that writes to an engine on a real disk, again and again on one directory.
//
//   bazel test --test_env=NORN_KILL_ROUNDS=500 --test_timeout=3600 //tests:engine_kill_test
//
// The writer is a forked child. It tells what it does through a pipe: a write before any job can
// make it durable, and how far writes are durable; so the parent knows what may be found
// afterwards, exactly: the writes up to the last sequence that was recovered and no others, and
// that covers all that was durable. Slots likewise. The child is killed when the parent has read a
// random number of its messages: in the midst of its recovery, of group commits, flushes,
// compactions and removals. The sync mode changes from life to life: what was written survives the
// death of a process, synced or not.
//
// NORN_KILL_ROUNDS rounds (default 20); NORN_KILL_SEED repeats the choices, not the schedule.

#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/random.h"
#include "gtest/gtest.h"
#include "storage/engine.h"
#include "storage/posix_file_system.h"
#include "storage/testing/engine_driver.h"

namespace norn::storage {
namespace {

constexpr int kKeys = 500;
constexpr uint64_t kMessagesMax = 6000;

struct Message {
  enum class Kind : uint64_t { kOpened, kPut, kDurable, kSlotBegun, kSlotDone };
  Kind kind = Kind::kOpened;
  uint64_t sequence = 0;  // of the put; the last one recovered; the last one durable; the ticket
  uint64_t key = 0;
  uint64_t serial = 0;
};

std::string KeyOf(uint64_t key) { return absl::StrCat("key", 1000 + key); }
std::string ValueOf(uint64_t serial) {
  return absl::StrCat(serial, " ",
                      std::string(serial * 37 % 400, static_cast<char>('a' + serial % 26)));
}

EngineOptions OptionsFor(const std::string& dir, uint64_t life) {
  static constexpr std::array kModes = {SyncMode::kAlways, SyncMode::kNone, SyncMode::kInterval};
  EngineOptions options;
  options.dir = dir;
  options.owner = "kill test";
  options.seed = life;
  options.sync_mode = kModes[life % kModes.size()];
  options.memtable_bytes = 32u << 10;
  options.wal_preallocate_bytes = 64u << 10;
  options.level0_tables_to_compact = 3;
  options.level1_bytes = 128u << 10;
  options.table_bytes = 16u << 10;
  return options;
}

// The child: writes until it is killed. Never returns.
[[noreturn]] void Write(const std::string& dir, uint64_t life, uint64_t serial, int pipe) {
  const auto tell = [pipe](const Message& message) {
    if (write(pipe, &message, sizeof(message)) != sizeof(message)) _exit(3);
  };
  PosixFileSystem files;
  RecoveryReport report;
  auto engine = Engine::Open(files, OptionsFor(dir, life), &report);
  if (!engine.ok() || report.suspect) {
    std::fprintf(stderr, "%s\n",
                 engine.ok() ? report.notes.front().c_str() : engine.status().ToString().c_str());
    _exit(4);
  }
  tell({.kind = Message::Kind::kOpened, .sequence = report.last_sequence});
  (*engine)->AcknowledgeRecovery();
  Random random(life);
  uint64_t durable = (*engine)->durable_sequence();
  uint64_t slot = 0;
  for (;;) {
    for (uint64_t n = random.Below(8); n > 0; --n) {
      Message put{.kind = Message::Kind::kPut, .key = random.Below(kKeys), .serial = ++serial};
      if (!(*engine)->Put(KeyOf(put.key), ValueOf(serial), &put.sequence).ok()) break;
      tell(put);
    }
    if (random.Below(40) == 0) {
      tell({.kind = Message::Kind::kSlotBegun, .sequence = ++slot, .serial = ++serial});
      (*engine)->WriteSlot("lease", ValueOf(serial), slot);
    }
    if (random.Below(10) == 0) (*engine)->RequestSync();
    for (const Lane lane : {Lane::kLog, Lane::kBackground}) RunJob(engine->get(), lane);
    if (!(*engine)->health().ok()) _exit(5);
    for (const Engine::FinishedSlot& done : (*engine)->TakeFinishedSlots()) {
      if (!done.status.ok()) _exit(6);
      tell({.kind = Message::Kind::kSlotDone, .sequence = done.ticket});
    }
    if ((*engine)->durable_sequence() == durable) continue;
    durable = (*engine)->durable_sequence();
    tell({.kind = Message::Kind::kDurable, .sequence = durable});
  }
}

class EngineKillTest : public testing::Test {
 protected:
  // A life of the child, ended when it has said `messages` things.
  void Live(uint64_t life, uint64_t messages) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      close(ends[0]);
      Write(dir_, life, life * 1000000, ends[1]);
    }
    close(ends[1]);
    Message message;
    for (uint64_t n = 0; read(ends[0], &message, sizeof(message)) == sizeof(message); ++n) {
      if (n == messages) kill(child, SIGKILL);
      Hear(message);
    }
    if (messages == 0) kill(child, SIGKILL);
    close(ends[0]);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "it ended with " << status;
    ++kills_;
  }

  void Hear(const Message& message) {
    switch (message.kind) {
      case Message::Kind::kOpened:
        Recovered(message.sequence);
        slots_begun_.clear();
        break;
      case Message::Kind::kPut:
        history_.emplace_back(message.key, message.serial);
        EXPECT_EQ(message.sequence, history_.size());
        break;
      case Message::Kind::kDurable:
        durable_ = message.sequence;
        break;
      case Message::Kind::kSlotBegun:
        slots_begun_.emplace_back(message.sequence, message.serial);
        slots_.push_back(message.serial);
        break;
      case Message::Kind::kSlotDone:
        for (const auto& [ticket, serial] : slots_begun_) {
          if (ticket != message.sequence) continue;
          // Those before it cannot be there any more.
          slots_.erase(slots_.begin(), std::find(slots_.begin(), slots_.end(), serial));
          slot_done_ = true;
        }
        break;
    }
  }

  void Recovered(uint64_t last_sequence) {
    EXPECT_GE(last_sequence, durable_);
    ASSERT_LE(last_sequence, history_.size());
    history_.resize(last_sequence);
    durable_ = last_sequence;
  }

  // Opens the directory here, and compares all of it.
  void Verify(uint64_t life) {
    PosixFileSystem files;
    RecoveryReport report;
    auto engine = Engine::Open(files, OptionsFor(dir_, life), &report);
    ASSERT_TRUE(engine.ok()) << engine.status();
    EXPECT_FALSE(report.suspect) << report.notes.front();
    Recovered(report.last_sequence);
    std::map<std::string, std::string> expected;
    for (const auto& [key, serial] : history_) expected[KeyOf(key)] = ValueOf(serial);
    const auto found = ScanAll(engine->get(), 100);
    ASSERT_TRUE(found.ok()) << found.status();
    EXPECT_EQ(*found, expected);
    for (int i = 0; i < kKeys; ++i) {
      const auto value = GetNow(engine->get(), KeyOf(static_cast<uint64_t>(i)));
      ASSERT_TRUE(value.ok()) << value.status();
      const auto there = expected.find(KeyOf(static_cast<uint64_t>(i)));
      EXPECT_EQ(*value, there == expected.end() ? std::nullopt : std::optional(there->second));
    }
    const std::optional<std::string> slot = (*engine)->ReadSlot("lease");
    const bool known = std::any_of(slots_.begin(), slots_.end(),
                                   [&](uint64_t serial) { return slot == ValueOf(serial); });
    EXPECT_TRUE(known || (!slot.has_value() && !slot_done_)) << slot.value_or("(absent)");
    tables_ = std::max<uint64_t>(tables_, (*engine)->stats().tables);
  }

  const std::string dir_ = absl::StrCat(std::getenv("TEST_TMPDIR"), "/killed");
  std::vector<std::pair<uint64_t, uint64_t>> history_;  // key and serial, by sequence, from 1
  uint64_t durable_ = 0;
  // Serials that the slot may hold: the last one that was done, and those begun since.
  std::vector<uint64_t> slots_;
  std::vector<std::pair<uint64_t, uint64_t>> slots_begun_;  // ticket and serial, of this life
  bool slot_done_ = false;
  uint64_t kills_ = 0;
  uint64_t tables_ = 0;
};

uint64_t NumberFrom(const char* variable, uint64_t otherwise) {
  const char* const text = std::getenv(variable);
  uint64_t number = otherwise;
  if (text != nullptr) {
    EXPECT_TRUE(absl::SimpleAtoi(text, &number)) << variable << "=" << text;
  }
  return number;
}

TEST_F(EngineKillTest, NothingDurableIsLostAndNothingElseIsFound) {
  const uint64_t rounds = NumberFrom("NORN_KILL_ROUNDS", 20);
  const uint64_t seed = NumberFrom("NORN_KILL_SEED", 1);
  Random random(seed);
  uint64_t life = 1;
  for (uint64_t round = 0; round < rounds; ++round) {
    SCOPED_TRACE(absl::StrCat("round ", round, ", seed ", seed));
    // Every fourth life is over before it has written much, if its recovery got that far.
    const uint64_t messages = random.Below(4) == 0 ? random.Below(3) : random.Below(kMessagesMax);
    Live(life++, messages);
    // The next child recovers from the crash itself, or this process does.
    if (random.Below(2) == 0) Verify(life++);
    if (HasFailure()) return;
  }
  Verify(life);
  std::printf("%llu kills, %llu writes survived, up to %llu tables\n",
              static_cast<unsigned long long>(kills_),
              static_cast<unsigned long long>(history_.size()),
              static_cast<unsigned long long>(tables_));
  EXPECT_GT(history_.size(), rounds * 100);
  EXPECT_GT(tables_, 3u);
}

}  // namespace
}  // namespace norn::storage
