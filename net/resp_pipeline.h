// Commands of one connection that wait for the node, in the order in which they came.
//
// Invariants:
//   - Replies leave in the order of the commands. One that is ready early waits in its
//     command's entry; the oldest command writes straight to the output.
//   - Commands on one key take effect in order, as far as a client that pipelines can tell:
//     a read waits for an outstanding write of the key, a write for an outstanding read,
//     and an exclusive command (DEL: it reads, then writes) for both. Writes of one key do
//     not wait for each other: the node submits them in order. A command on many keys is
//     taken to touch every key.
//   - At most commands_max entries, which is a power of two up to 32768; serials count them
//     modulo 65536, so a serial names one entry.

#ifndef NORN_NET_RESP_PIPELINE_H_
#define NORN_NET_RESP_PIPELINE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "net/resp_fan_out.h"

namespace norn::net {

// How the node's reply becomes the command's.
enum class ReplyForm : uint8_t {
  kValue,      // the winner's
  kOnlyValue,  // the same, or an error if there are several
  kSeconds,    // what the winner has left to live
  kMilliseconds,
  kOk,
  kVersions,
  kWritten,
  kFanOut,
};

// What a command does to its key. Two of them conflict if together they are read and write.
enum class KeyAccess : uint8_t { kNone = 0, kRead = 1, kWrite = 2, kExclusive = 3 };

struct PendingCommand {
  ReplyForm form = ReplyForm::kOk;
  uint8_t protocol = 2;  // when the command came: HELLO may have changed it since
  bool done = false;
  std::string reply;                    // done before its turn
  std::unique_ptr<RespFanOut> fan_out;  // kFanOut
};

class RespPipeline {
 public:
  static constexpr uint64_t kEveryKey = 0;

  explicit RespPipeline(size_t commands_max);

  bool full() const { return size() == commands_max_; }
  bool empty() const { return head_ == tail_; }
  size_t size() const { return static_cast<uint16_t>(tail_ - head_); }

  // May the command start now? If not, ask again after a Complete().
  bool MayStart(KeyAccess access, uint64_t key_hash) const;

  // Adds an entry that awaits the node. Not when full().
  uint16_t Add(ReplyForm form, int protocol, KeyAccess access, uint64_t key_hash);

  // Where a command that needs no node writes its reply, at the end. Not when full().
  std::string* AddImmediate();

  // Null if no such command is waiting.
  PendingCommand* Find(uint16_t serial);

  // Where that command's reply is to be written, at the end. Then call Complete().
  std::string* ReplyOf(uint16_t serial);
  void Complete(uint16_t serial);

  // The bytes to send. The caller takes them from the front.
  std::string& output() { return output_; }
  const std::string& output() const { return output_; }

 private:
  // The hash with its two low bits replaced by the access: what is scanned is dense.
  static uint64_t Claim(KeyAccess access, uint64_t key_hash);
  PendingCommand& At(uint16_t serial) { return commands_[serial & (commands_.size() - 1)]; }
  uint64_t& ClaimAt(uint16_t serial) { return claims_[serial & (claims_.size() - 1)]; }
  uint16_t Push();
  void Grow();

  const size_t commands_max_;
  uint16_t head_ = 0;                                  // the oldest entry
  uint16_t tail_ = 0;                                  // behind the newest one
  std::vector<PendingCommand> commands_;               // a ring; its size is a power of two
  std::vector<uint64_t> claims_;                       // the same ring; 0: claims nothing
  size_t readers_ = 0, writers_ = 0, exclusives_ = 0;  // claims, by access
  std::string output_;
};

}  // namespace norn::net

#endif  // NORN_NET_RESP_PIPELINE_H_
