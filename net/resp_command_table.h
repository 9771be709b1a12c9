// Which commands there are, how many arguments each takes, and why others are refused.
//
// Names are case-insensitive. Lookup is one probe of a table that the compiler fills.

#ifndef NORN_NET_RESP_COMMAND_TABLE_H_
#define NORN_NET_RESP_COMMAND_TABLE_H_

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace norn::net {

enum class RespCommandId : uint8_t {
  kGet,
  kSet,
  kSetEx,
  kPsetEx,
  kTtl,
  kPttl,
  kDel,
  kExists,
  kMget,
  kMset,
  kKvGet,
  kKvPut,
  kKvDel,
  kPing,
  kEcho,
  kHello,
  kAuth,
  kInfo,
  kClient,
  kCommand,
  kConfig,
  kSelect,
  kReset,
  kQuit,
  kNornCheckpoint,
  // What Redis has and Norn has not, by the reason.
  kNotAtomic,
  kNoExpiry,
  kNoTypes,
  kNoListing,
  kNoTransactions,
  kEndTransaction,  // EXEC, DISCARD
  kNoMessages,
  kNoScripts,
  kNoAdministration,
};

struct RespCommandSpec {
  const char* name;  // lower case
  RespCommandId id;
  int arity;          // the name included; negative: at least so many
  const char* flags;  // as COMMAND shows them, separated by blanks
  int first_key;      // as COMMAND shows them; 0: none
  int last_key;
  int key_step;
  const char* summary;  // null: refused, and not listed

  bool refused() const { return summary == nullptr; }
  bool TakesArguments(size_t count) const {
    return arity >= 0 ? count == static_cast<size_t>(arity) : count >= static_cast<size_t>(-arity);
  }
};

// Null if neither Norn nor Redis has it.
const RespCommandSpec* FindRespCommand(absl::string_view name);

// All of them, refused ones too.
absl::Span<const RespCommandSpec> AllRespCommands();

// Why a refused command is refused: what follows "ERR '<name>' ".
const char* RefusalOf(RespCommandId id);

}  // namespace norn::net

#endif  // NORN_NET_RESP_COMMAND_TABLE_H_
