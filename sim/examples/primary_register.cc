// The protocol of TUTORIAL.md: registers whose values one node keeps, the primary. The others pass
// requests on to it. Its settings leave a step out each, to see what becomes of it.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "sim/protocol.h"

namespace {

using norn::NodeId;
using norn::sim::Answer;
using norn::sim::Context;
using norn::sim::FaultKind;
using norn::sim::Process;
using norn::sim::Protocol;
using norn::sim::ProtocolRequest;
using norn::sim::ProtocolSetting;

constexpr NodeId kPrimary = 1;

class PrimaryProcess final : public Process {
 public:
  explicit PrimaryProcess(Context& context) : context_(context) {}

  // What the disk has kept of earlier lives.
  void OnStart(const std::vector<std::string>& log) override {
    for (const std::string& record : log) Apply(absl::StrSplit(record, ' '));
  }

  // A client asks this node, and this node the primary: "17 write k1 c3-4".
  void OnRequest(uint64_t request, const ProtocolRequest& asked) override {
    const std::string words =
        absl::StrCat(request, " ", asked.kind, " ", asked.key, " ", asked.value);
    context_.Send(kPrimary, "Ask", asked.key, words, words);
  }

  void OnMessage(NodeId from, const std::string& bytes) override {
    const Words words = absl::StrSplit(bytes, ' ');
    if (words[1] == "answer") return context_.Reply(RequestIn(words), Answer::kOk, words[3]);
    // This node is the primary.
    const bool again = context_.setting("once") != 0 && done_.count(RequestIn(words)) != 0;
    if (words[1] == "write" && !again) {
      Apply(words);
      context_.Append(bytes);
    }
    const std::string value = words[1] == "read" ? values_[words[2]] : "";
    const std::string answer = absl::StrCat(words[0], " answer ", words[2], " ", value);
    if (context_.setting("sync") == 0)
      return context_.Send(from, "Answer", words[2], answer, answer);
    waiting_[++last_sync_] = {from, words[2], answer};
    context_.Sync(last_sync_);
  }

  // All that was appended before that Sync is durable: now the answer may be heard.
  void OnSynced(uint64_t sync) override {
    const Later later = waiting_.at(sync);
    waiting_.erase(sync);
    context_.Send(later.to, "Answer", later.key, later.answer, later.answer);
  }

  // For the page of a failure.
  std::vector<std::pair<std::string, std::string>> State() const override {
    return {values_.begin(), values_.end()};
  }

 private:
  using Words = std::vector<std::string>;
  struct Later {
    NodeId to = norn::kNoNode;
    std::string key;
    std::string answer;
  };

  static uint64_t RequestIn(const Words& words) {
    uint64_t request = 0;
    return absl::SimpleAtoi(words[0], &request) ? request : 0;
  }

  void Apply(const Words& words) {
    values_[words[2]] = words[3];
    done_.insert(RequestIn(words));
  }

  Context& context_;
  std::map<std::string, std::string> values_;  // by key
  std::set<uint64_t> done_;                    // requests, so that no copy is done again
  std::map<uint64_t, Later> waiting_;          // answers, by the sync they wait for
  uint64_t last_sync_ = 0;
};

class PrimaryRegister final : public Protocol {
 public:
  std::string Name() const override { return "primary"; }
  std::vector<ProtocolSetting> Settings() const override {
    return {{"once", 1, 0, 1, "whether the primary knows a request that comes twice"},
            {"sync", 1, 0, 1, "whether it answers only what its disk has"}};
  }
  std::unique_ptr<Process> MakeProcess(Context& context) const override {
    return std::make_unique<PrimaryProcess>(context);
  }
  // Clients read and write a few keys, and that must be linearizable.
  std::optional<norn::consistency::Model> HistoryModel() const override {
    return norn::consistency::Model::kRegister;
  }
  // What has no effect proves nothing: only the primary uses its disk, and all talk to it alone.
  bool Stands(FaultKind kind) const override {
    const bool of_disk = norn::sim::InfoOf(kind).of == norn::sim::FaultClass::kDisk;
    return !of_disk && kind != FaultKind::kBridge && Protocol::Stands(kind);
  }
};

}  // namespace

int main(int argc, char** argv) { return norn::sim::ProtocolMain(argc, argv, PrimaryRegister()); }
