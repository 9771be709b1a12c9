#include "net/resp_pipeline.h"

#include <utility>

#include "core/check.h"

namespace norn::net {
namespace {

constexpr uint64_t kAccessBits = 3;
constexpr size_t kFirstCapacity = 8;

}  // namespace

RespPipeline::RespPipeline(size_t commands_max) : commands_max_(commands_max) {
  CORE_CHECK(commands_max >= kFirstCapacity && commands_max <= 32768);
  CORE_CHECK((commands_max & (commands_max - 1)) == 0);
}

uint64_t RespPipeline::Claim(KeyAccess access, uint64_t key_hash) {
  return (key_hash & ~kAccessBits) | static_cast<uint64_t>(access);
}

bool RespPipeline::MayStart(KeyAccess access, uint64_t key_hash) const {
  size_t opponents = exclusives_;
  if (access != KeyAccess::kRead) opponents += readers_;
  if (access != KeyAccess::kWrite) opponents += writers_;
  if (opponents == 0 || access == KeyAccess::kNone) return true;

  const uint64_t mine = Claim(access, key_hash);
  const bool mine_is_every = (mine & ~kAccessBits) == kEveryKey;
  for (uint16_t serial = head_; serial != tail_; ++serial) {
    const uint64_t theirs = claims_[serial & (claims_.size() - 1)];
    if (theirs == 0 || ((theirs | mine) & kAccessBits) != kAccessBits) continue;
    const bool theirs_is_every = (theirs & ~kAccessBits) == kEveryKey;
    if (mine_is_every || theirs_is_every || ((theirs ^ mine) & ~kAccessBits) == 0) return false;
  }
  return true;
}

void RespPipeline::Grow() {
  const size_t capacity = commands_.empty() ? kFirstCapacity : commands_.size() * 2;
  std::vector<PendingCommand> commands(capacity);
  std::vector<uint64_t> claims(capacity);
  for (uint16_t serial = head_; serial != tail_; ++serial) {
    commands[serial & (capacity - 1)] = std::move(At(serial));
    claims[serial & (capacity - 1)] = ClaimAt(serial);
  }
  commands_ = std::move(commands);
  claims_ = std::move(claims);
}

uint16_t RespPipeline::Push() {
  CORE_CHECK(!full());
  if (size() == commands_.size()) Grow();
  return tail_++;
}

uint16_t RespPipeline::Add(ReplyForm form, int protocol, KeyAccess access, uint64_t key_hash) {
  const uint16_t serial = Push();
  PendingCommand& command = At(serial);
  command.form = form;
  command.protocol = static_cast<uint8_t>(protocol);
  command.done = false;
  ClaimAt(serial) = access == KeyAccess::kNone ? 0 : Claim(access, key_hash);
  readers_ += access == KeyAccess::kRead;
  writers_ += access == KeyAccess::kWrite;
  exclusives_ += access == KeyAccess::kExclusive;
  return serial;
}

std::string* RespPipeline::AddImmediate() {
  if (empty()) return &output_;
  const uint16_t serial = Push();
  At(serial).done = true;
  ClaimAt(serial) = 0;
  return &At(serial).reply;
}

PendingCommand* RespPipeline::Find(uint16_t serial) {
  if (static_cast<uint16_t>(serial - head_) >= size()) return nullptr;
  PendingCommand& command = At(serial);
  return command.done ? nullptr : &command;
}

std::string* RespPipeline::ReplyOf(uint16_t serial) {
  return serial == head_ ? &output_ : &At(serial).reply;
}

void RespPipeline::Complete(uint16_t serial) {
  CORE_CHECK(Find(serial) != nullptr);
  PendingCommand& completed = At(serial);
  completed.done = true;
  completed.fan_out.reset();
  const uint64_t claim = std::exchange(ClaimAt(serial), 0);
  const auto access = static_cast<KeyAccess>(claim & kAccessBits);
  readers_ -= access == KeyAccess::kRead;
  writers_ -= access == KeyAccess::kWrite;
  exclusives_ -= access == KeyAccess::kExclusive;

  while (head_ != tail_ && At(head_).done) {
    PendingCommand& oldest = At(head_);
    if (!oldest.reply.empty()) {
      output_.append(oldest.reply);
      // A large reply gives its memory back; a small one is soon written again.
      oldest.reply.clear();
      if (oldest.reply.capacity() > 1024) std::string().swap(oldest.reply);
    }
    ++head_;
  }
}

}  // namespace norn::net
