#include "net/resp_command_table.h"

#include <array>

#include "absl/strings/match.h"

namespace norn::net {
namespace {

using Id = RespCommandId;

constexpr RespCommandSpec Refused(const char* name, Id id) {
  return {name, id, -1, "", 0, 0, 0, nullptr};
}

constexpr RespCommandSpec kCommands[] = {
    {"get", Id::kGet, 2, "readonly fast", 1, 1, 1,
     "The value of a key: of several concurrent "
     "ones, the newest."},
    {"set", Id::kSet, -3, "write denyoom", 1, 1, 1,
     "Sets a key, over whatever is there: SET key value "
     "[EX s|PX ms|EXAT s|PXAT ms]."},
    {"setex", Id::kSetEx, 4, "write denyoom", 1, 1, 1, "Sets a key that expires, in seconds."},
    {"psetex", Id::kPsetEx, 4, "write denyoom", 1, 1, 1,
     "Sets a key that expires, in milliseconds."},
    {"ttl", Id::kTtl, 2, "readonly fast", 1, 1, 1,
     "Seconds that a key's value has left; -1: it does not expire; -2: there is none."},
    {"pttl", Id::kPttl, 2, "readonly fast", 1, 1, 1, "The same in milliseconds."},
    {"del", Id::kDel, -2, "write", 1, -1, 1, "Deletes keys; counts those that had a value."},
    {"exists", Id::kExists, -2, "readonly fast", 1, -1, 1, "Counts the keys that have a value."},
    {"mget", Id::kMget, -2, "readonly fast", 1, -1, 1, "The values of many keys."},
    {"mset", Id::kMset, -3, "write denyoom", 1, -1, 2, "Sets many keys, not atomically."},
    {"kv.get", Id::kKvGet, -2, "readonly fast", 1, 1, 1,
     "All concurrent values of a key, and "
     "the context that covers them: KV.GET key [R n|level] [PR n] [BUCKET name] [TIMEOUT ms]."},
    {"kv.put", Id::kKvPut, -3, "write denyoom", 1, 1, 1,
     "Sets a key over exactly what the "
     "context covers: KV.PUT key value [CONTEXT token|NONE] [TTL ms|NONE] [W n|level] [PW n] "
     "[BUCKET name] [TIMEOUT ms]."},
    {"kv.del", Id::kKvDel, -2, "write", 1, 1, 1,
     "Deletes exactly what the context covers: "
     "KV.DEL key [CONTEXT token] [W n|level] [PW n] [BUCKET name] [TIMEOUT ms]."},
    {"ping", Id::kPing, -1, "fast", 0, 0, 0, "PONG, or the argument."},
    {"echo", Id::kEcho, 2, "fast", 0, 0, 0, "The argument."},
    {"hello", Id::kHello, -1, "noscript fast", 0, 0, 0, "Chooses RESP2 or RESP3."},
    {"auth", Id::kAuth, -2, "noscript fast", 0, 0, 0, "Refused: there are no passwords yet."},
    {"info", Id::kInfo, -1, "", 0, 0, 0, "The state of this node."},
    {"client", Id::kClient, -2, "noscript", 0, 0, 0, "ID, SETNAME, GETNAME, LIST, INFO, ..."},
    {"command", Id::kCommand, -1, "", 0, 0, 0, "COUNT, DOCS, INFO, LIST."},
    {"config", Id::kConfig, -2, "admin noscript", 0, 0, 0, "GET: what clients ask for."},
    {"select", Id::kSelect, 2, "fast", 0, 0, 0, "Chooses the bucket of later commands."},
    {"reset", Id::kReset, 1, "noscript fast", 0, 0, 0, "Forgets HELLO, SELECT and SETNAME."},
    {"quit", Id::kQuit, -1, "noscript fast", 0, 0, 0, "Ends the connection."},
    {"norn.checkpoint", Id::kNornCheckpoint, 2, "admin noscript", 0, 0, 0,
     "Makes a checkpoint of this node's store: NORN.CHECKPOINT name."},

    Refused("append", Id::kNotAtomic),
    Refused("bitfield", Id::kNotAtomic),
    Refused("bitop", Id::kNotAtomic),
    Refused("copy", Id::kNotAtomic),
    Refused("decr", Id::kNotAtomic),
    Refused("decrby", Id::kNotAtomic),
    Refused("getdel", Id::kNotAtomic),
    Refused("getset", Id::kNotAtomic),
    Refused("incr", Id::kNotAtomic),
    Refused("incrby", Id::kNotAtomic),
    Refused("incrbyfloat", Id::kNotAtomic),
    Refused("msetnx", Id::kNotAtomic),
    Refused("rename", Id::kNotAtomic),
    Refused("renamenx", Id::kNotAtomic),
    Refused("setbit", Id::kNotAtomic),
    Refused("setnx", Id::kNotAtomic),
    Refused("setrange", Id::kNotAtomic),

    Refused("expire", Id::kNoExpiry),
    Refused("expireat", Id::kNoExpiry),
    Refused("expiretime", Id::kNoExpiry),
    Refused("getex", Id::kNoExpiry),
    Refused("persist", Id::kNoExpiry),
    Refused("pexpire", Id::kNoExpiry),
    Refused("pexpireat", Id::kNoExpiry),
    Refused("pexpiretime", Id::kNoExpiry),

    Refused("geoadd", Id::kNoTypes),
    Refused("hdel", Id::kNoTypes),
    Refused("hget", Id::kNoTypes),
    Refused("hgetall", Id::kNoTypes),
    Refused("hincrby", Id::kNoTypes),
    Refused("hmget", Id::kNoTypes),
    Refused("hmset", Id::kNoTypes),
    Refused("hset", Id::kNoTypes),
    Refused("hsetnx", Id::kNoTypes),
    Refused("llen", Id::kNoTypes),
    Refused("lpop", Id::kNoTypes),
    Refused("lpush", Id::kNoTypes),
    Refused("lrange", Id::kNoTypes),
    Refused("pfadd", Id::kNoTypes),
    Refused("pfcount", Id::kNoTypes),
    Refused("rpop", Id::kNoTypes),
    Refused("rpush", Id::kNoTypes),
    Refused("sadd", Id::kNoTypes),
    Refused("scard", Id::kNoTypes),
    Refused("sismember", Id::kNoTypes),
    Refused("smembers", Id::kNoTypes),
    Refused("spop", Id::kNoTypes),
    Refused("srem", Id::kNoTypes),
    Refused("type", Id::kNoTypes),
    Refused("xadd", Id::kNoTypes),
    Refused("xread", Id::kNoTypes),
    Refused("zadd", Id::kNoTypes),
    Refused("zincrby", Id::kNoTypes),
    Refused("zpopmin", Id::kNoTypes),
    Refused("zrange", Id::kNoTypes),
    Refused("zrem", Id::kNoTypes),

    Refused("dbsize", Id::kNoListing),
    Refused("flushall", Id::kNoListing),
    Refused("flushdb", Id::kNoListing),
    Refused("keys", Id::kNoListing),
    Refused("randomkey", Id::kNoListing),
    Refused("scan", Id::kNoListing),

    Refused("multi", Id::kNoTransactions),
    Refused("watch", Id::kNoTransactions),
    Refused("unwatch", Id::kNoTransactions),
    Refused("exec", Id::kEndTransaction),
    Refused("discard", Id::kEndTransaction),

    Refused("psubscribe", Id::kNoMessages),
    Refused("publish", Id::kNoMessages),
    Refused("subscribe", Id::kNoMessages),
    Refused("unsubscribe", Id::kNoMessages),

    Refused("eval", Id::kNoScripts),
    Refused("evalsha", Id::kNoScripts),
    Refused("fcall", Id::kNoScripts),
    Refused("script", Id::kNoScripts),

    Refused("acl", Id::kNoAdministration),
    Refused("bgrewriteaof", Id::kNoAdministration),
    Refused("bgsave", Id::kNoAdministration),
    Refused("cluster", Id::kNoAdministration),
    Refused("replicaof", Id::kNoAdministration),
    Refused("save", Id::kNoAdministration),
    Refused("shutdown", Id::kNoAdministration),
    Refused("slaveof", Id::kNoAdministration),
    Refused("wait", Id::kNoAdministration),
};

constexpr size_t kCommandCount = sizeof(kCommands) / sizeof(kCommands[0]);
constexpr size_t kSlots = 512;
constexpr uint8_t kNothing = 0xff;
static_assert(kCommandCount < kNothing);

// FNV-1a over the letters without their case.
constexpr uint32_t HashByte(uint32_t hash, char c) {
  return (hash ^ (static_cast<uint8_t>(c) | 0x20u)) * 16777619u;
}

constexpr size_t SlotOf(uint32_t hash) { return (hash ^ (hash >> 15)) & (kSlots - 1); }

constexpr std::array<uint8_t, kSlots> FillSlots() {
  std::array<uint8_t, kSlots> slots{};
  for (uint8_t& slot : slots) slot = kNothing;
  for (size_t i = 0; i < kCommandCount; ++i) {
    uint32_t hash = 2166136261u;
    for (const char* c = kCommands[i].name; *c != '\0'; ++c) hash = HashByte(hash, *c);
    size_t at = SlotOf(hash);
    while (slots[at] != kNothing) at = (at + 1) % kSlots;
    slots[at] = static_cast<uint8_t>(i);
  }
  return slots;
}

constexpr std::array<uint8_t, kSlots> kSlotTable = FillSlots();

}  // namespace

const RespCommandSpec* FindRespCommand(absl::string_view name) {
  uint32_t hash = 2166136261u;
  for (const char c : name) hash = HashByte(hash, c);
  for (size_t at = SlotOf(hash); kSlotTable[at] != kNothing; at = (at + 1) % kSlots) {
    const RespCommandSpec& spec = kCommands[kSlotTable[at]];
    if (absl::EqualsIgnoreCase(spec.name, name)) return &spec;
  }
  return nullptr;
}

absl::Span<const RespCommandSpec> AllRespCommands() { return kCommands; }

const char* RefusalOf(RespCommandId id) {
  switch (id) {
    case Id::kNotAtomic:
      return "cannot be atomic in an eventually consistent bucket; read with KV.GET, then write "
             "with KV.PUT ... CONTEXT, and merge the siblings that concurrent writers leave";
    case Id::kNoExpiry:
      return "is not supported: a time to live is given with the value (SET ... EX, KV.PUT ... "
             "TTL); to change it would be a read and a write, which cannot be atomic here";
    case Id::kNoTypes:
      return "is not supported: values are opaque bytes, not lists, sets, hashes or streams";
    case Id::kNoListing:
      return "is not supported: keys are spread over the cluster, and no node can list, count or "
             "drop them all";
    case Id::kNoTransactions:
    case Id::kEndTransaction:
      return "is not supported: there are no transactions; pipeline the commands without MULTI "
             "(redis-py: pipeline(transaction=False))";
    case Id::kNoMessages:
      return "is not supported: there are no channels";
    case Id::kNoScripts:
      return "is not supported: there are no scripts";
    default:
      return "is not supported: nodes are administered through their configuration and the norn "
             "tool";
  }
}

}  // namespace norn::net
