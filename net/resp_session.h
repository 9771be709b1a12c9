// One client's conversation: commands go in, requests to the node and replies come out.
// No sockets here; net/resp_connection.h has them.
//
//   RespSession      dispatch, and what the connection remembers (protocol, bucket, name)
//   RespPipeline     replies in the order of the commands; commands on one key in order
//   RespFanOut       commands on many keys
//   resp_session_data.cc, resp_session_admin.cc    the commands; resp_session_options.cc
//
// Invariants:
//   - Every command gets exactly one reply, in order, until the session ends.
//   - At most limits.commands_max commands and about limits.requests_max requests are
//     outstanding: then accepting() is false and the caller stops reading (backpressure).
//   - A failed request is an error, never a null: a client must not take "could not read"
//     for "is not there".
//
// Error prefixes: ERR (at fault is the command), TRYAGAIN (refused at once), NOTAPPLIED (a
// write that has not and will not take effect), UNKNOWN (a write that may), UNAVAILABLE (a
// read without its quorum).
//
// Threads: one. services.submit may call back into OnReply().

#ifndef NORN_NET_RESP_SESSION_H_
#define NORN_NET_RESP_SESSION_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "core/client.h"
#include "net/resp_command_table.h"
#include "net/resp_pipeline.h"
#include "net/resp_services.h"
#include "net/resp_ticket.h"
#include "net/resp_writer.h"

namespace norn::net {

// Redis shows at most so much of what a client sent in an error.
inline constexpr size_t kRespEchoBytesMax = 128;

class RespSession {
 public:
  using Arguments = absl::Span<const absl::string_view>;

  // `services` outlives the session. `ticket` names the connection; its serial and part are
  // the session's to fill in. `address` is the client's, for CLIENT LIST.
  RespSession(const RespServices& services, uint64_t id, const RespTicket& ticket,
              std::string address);

  // False: Execute() must not be called now (full), or ever again (ended).
  bool accepting() const {
    return !ended_ && !pipeline_.full() && requests_ < services_.limits.requests_max;
  }

  // Takes a command of at least one argument, its name first. False if it must wait for an
  // earlier command on its key: nothing was done; come again after an OnReply().
  [[nodiscard]] bool Execute(Arguments arguments);

  // The bytes of the client make no sense: says so, after earlier replies, and ends.
  void Refuse(absl::string_view protocol_error);

  // A reply to a request of this session. One that is not awaited is dropped.
  void OnReply(ClientReply&& reply);

  // Replies, to be sent in this order; the caller takes bytes from the front.
  std::string& output() { return pipeline_.output(); }
  const std::string& output() const { return pipeline_.output(); }

  // No command is waiting for the node.
  bool idle() const { return pipeline_.empty(); }
  // After QUIT or Refuse(): close when idle() and all output is sent.
  bool ended() const { return ended_; }

  uint64_t id() const { return id_; }
  uint64_t commands() const { return commands_; }

  // As CLIENT LIST shows it: "id=3 addr=127.0.0.1:5012 name= db=0 ...", no line end.
  std::string Describe() const;

 private:
  // Dispatch.
  bool Run(const RespCommandSpec& spec, Arguments arguments);
  bool RefuseCommand(const RespCommandSpec& spec);
  bool Unknown(Arguments arguments);

  // Data commands: resp_session_data.cc. Each returns what Execute() returns.
  bool Get(absl::string_view key);
  bool Set(Arguments arguments);
  bool SetEx(absl::string_view unit, Arguments arguments);
  bool TimeToLive(ReplyForm form, absl::string_view key);
  bool FanOut(RespCommandId id, Arguments arguments);
  bool KvGet(Arguments arguments);
  bool KvPut(Arguments arguments);
  bool KvDel(Arguments arguments);
  // One request for one key.
  bool Start(ReplyForm form, KeyAccess access, ClientRequest&& request);
  void Submit(uint16_t serial, uint16_t part, ClientRequest&& request);
  ClientRequest NewRequest(ClientRequest::Kind kind, absl::string_view key) const;
  // Of the bucket that SELECT chose.
  bool SiblingsAreErrors() const;

  // Options: resp_session_options.cc. Each is false after having replied with an error.
  // [CONTEXT token|NONE] [TTL ms|NONE] [R|W n|level] [PR|PW n] [BUCKET name] [TIMEOUT ms]
  bool ReadOptions(absl::string_view command, Arguments options, ClientRequest* request);
  bool ReadOption(absl::string_view name, absl::string_view value, ClientRequest* request,
                  bool* known);
  // [EX seconds | PX milliseconds | EXAT seconds | PXAT milliseconds]
  bool ReadSetOptions(Arguments options, ClientRequest* request);
  bool ReadExpiry(absl::string_view command, absl::string_view unit, absl::string_view number,
                  ClientRequest* request);
  static void WriteReply(ReplyForm form, const ClientReply& reply, RespWriter& writer);

  // Commands that the session answers itself: resp_session_admin.cc.
  void Ping(Arguments arguments);
  void Hello(Arguments arguments);
  void Info(Arguments sections);
  void Client(Arguments arguments);
  bool ClientSubcommand(const std::string& subcommand, Arguments rest);
  void Command(Arguments arguments);
  void CommandDocs(Arguments names);
  void CommandList(Arguments names);
  void Config(Arguments arguments);
  void ConfigGet(Arguments patterns);
  void Select(absl::string_view number);
  std::string NoSuchBucket(absl::string_view name) const;
  bool NornCheckpoint(absl::string_view name);
  void Reset();
  bool CheckName(absl::string_view name);  // false after having replied with an error
  void UnknownSubcommand(absl::string_view command, absl::string_view subcommand);
  void WrongArity(absl::string_view command);

  // The reply of a command that needs no node.
  RespWriter Immediate() { return RespWriter(protocol_, pipeline_.AddImmediate()); }
  // An error reply; always true, for "return Error(...)".
  bool Error(absl::string_view text);

  const RespServices& services_;
  const uint64_t id_;
  const uint64_t ticket_;  // packed; serial and part are 0
  const std::string address_;
  RespPipeline pipeline_;
  size_t requests_ = 0;  // submitted and not answered
  uint64_t commands_ = 0;
  const RespCommandSpec* last_command_ = nullptr;
  int protocol_ = 2;
  BucketId bucket_ = 0;
  bool ended_ = false;
  // MULTI was refused. What the client meant as one transaction must not run piecemeal, so
  // everything up to EXEC or DISCARD is refused too.
  bool in_refused_transaction_ = false;
  std::string name_;
  std::string library_name_;
  std::string library_version_;
};

}  // namespace norn::net

#endif  // NORN_NET_RESP_SESSION_H_
