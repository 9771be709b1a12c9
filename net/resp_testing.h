// For tests: a node that stores in a map and answers a client session at once, later, or in
// any order.

#ifndef NORN_NET_RESP_TESTING_H_
#define NORN_NET_RESP_TESTING_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/client.h"
#include "core/types.h"

namespace norn::net {

class FakeNode {
 public:
  struct Failure {
    ClientReply::Outcome outcome;
    std::string message;
  };

  std::function<void(ClientReply&&)> on_reply;  // where answers go
  bool answers_now = true;                      // from inside Submit()
  std::map<std::string, Failure> failures;      // by key
  std::map<std::string, Failure> write_failures;
  int64_t ttl_us = 0;  // of all that is read
  int hints = 0;       // of the two replicas that all replies tell of
  std::deque<ClientRequest> waiting;
  std::vector<ClientRequest> seen;  // all of them, as they came

  void Submit(ClientRequest&& request) {
    seen.push_back(request);
    if (answers_now) {
      on_reply(Execute(request));
    } else {
      waiting.push_back(std::move(request));
    }
  }

  // Executes and answers the `index`-th of those that wait.
  void Answer(size_t index) {
    const ClientRequest request = std::move(waiting[index]);
    waiting.erase(waiting.begin() + static_cast<ptrdiff_t>(index));
    on_reply(Execute(request));
  }
  void AnswerAll() {
    while (!waiting.empty()) Answer(0);
  }

 private:
  struct Entry {
    std::vector<std::string> values;  // the newest first
    int version = 0;
  };

  static std::string TokenOf(const Entry& entry) { return absl::StrCat("t", entry.version); }

  ClientReply Execute(const ClientRequest& request) {
    ClientReply reply;
    reply.client = request.client;
    const bool writes = request.kind != ClientRequest::Kind::kGet;
    const auto failure = failures.find(request.key);
    const auto write_failure = write_failures.find(request.key);
    if (failure != failures.end() || (writes && write_failure != write_failures.end())) {
      const Failure& cause = failure != failures.end() ? failure->second : write_failure->second;
      reply.outcome = cause.outcome;
      reply.message = cause.message;
      return reply;
    }
    reply.outcome = ClientReply::Outcome::kOk;
    reply.replicas = 2;
    reply.zones = 1;
    reply.durable = 2;
    reply.hints = hints;
    Entry& entry = entries_[{request.bucket, request.key}];
    if (writes) {
      const bool replaces =
          request.base == ClientRequest::Base::kCurrent ||
          (request.base == ClientRequest::Base::kToken && request.context == TokenOf(entry));
      if (replaces) entry.values.clear();
      if (request.kind == ClientRequest::Kind::kPut) {
        entry.values.insert(entry.values.begin(), request.value);
      }
      ++entry.version;
      if (replaces) reply.context = TokenOf(entry);
      return reply;
    }
    for (const std::string& value : entry.values) reply.siblings.push_back({value, 0, ttl_us});
    if (entry.version > 0) reply.context = TokenOf(entry);
    return reply;
  }

  std::map<std::pair<BucketId, std::string>, Entry> entries_;
};

}  // namespace norn::net

#endif  // NORN_NET_RESP_TESTING_H_
