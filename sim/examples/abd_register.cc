#include "sim/examples/abd_register.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace norn::sim {

namespace {

constexpr int64_t kAskAgainUs = 50'000;
constexpr int64_t kPatienceUs = 5'000'000;  // longer than any client waits
constexpr uint64_t kBegun = 0;              // the token of the sync of OnStart

// Orders what was ever written to a key. No two writes have the same: a node counts up within a
// life (given_), and no two of its lives have the same number.
struct Tag {
  uint64_t counter = 0;
  uint64_t node = 0;
  uint64_t life = 0;

  friend bool operator<(const Tag& a, const Tag& b) {
    return std::tie(a.counter, a.node, a.life) < std::tie(b.counter, b.node, b.life);
  }
};

struct Cell {
  Tag tag;
  std::string value;
};

// Messages and log records are words, and so is every value.
using Words = std::vector<std::string>;

std::string ToWords(const Cell& cell) {
  return absl::StrCat(cell.tag.counter, " ", cell.tag.node, " ", cell.tag.life, " ", cell.value);
}

uint64_t Number(const std::string& word) {
  uint64_t number = 0;
  return absl::SimpleAtoi(word, &number) ? number : 0;
}

Cell CellIn(const Words& words, size_t from) {
  return {{Number(words[from]), Number(words[from + 1]), Number(words[from + 2])}, words[from + 3]};
}

// A read or a write that this node conducts.
struct Conducted {
  std::string key;
  bool write = false;
  std::string value;       // of a write
  bool storing = false;    // the second phase; before it, the first
  Cell cell;               // the greatest seen; then what is stored
  std::set<NodeId> heard;  // in this phase
  int64_t until_us = 0;
};

class AbdProcess final : public Process {
 public:
  explicit AbdProcess(Context& context) : context_(context) {}

  void OnStart(const std::vector<std::string>& log) override {
    for (const std::string& record : log) {
      const Words words = absl::StrSplit(record, ' ');
      if (words[0] == "life") {
        life_ = Number(words[1]);
      } else {
        Hold(words[1], CellIn(words, 2));
      }
    }
    context_.Append(absl::StrCat("life ", ++life_));
    context_.Sync(kBegun);
  }

  void OnRequest(uint64_t request, const ProtocolRequest& asked) override {
    if (!begun_) return context_.Reply(request, Answer::kFailed, "");
    Conducted& mine = conducted_[request];
    mine.key = asked.key;
    mine.write = asked.kind == "write";
    mine.value = asked.value;
    mine.until_us = context_.now_us() + kPatienceUs;
    AskAll(request);
  }

  void OnTimer(uint64_t request) override {
    const auto it = conducted_.find(request);
    if (it == conducted_.end()) return;
    if (context_.now_us() >= it->second.until_us) {
      conducted_.erase(it);
    } else {
      AskAll(request);
    }
  }

  void OnMessage(NodeId from, const std::string& bytes) override {
    const Words words = absl::StrSplit(bytes, ' ');
    const uint64_t request = Number(words[1]);
    if (words[0] == "query") {
      const std::string& key = words[2];
      Send(from, "Held", key, absl::StrCat("held ", request, " ", ToWords(cells_[key])));
    } else if (words[0] == "store") {
      Store(from, request, words[2], CellIn(words, 3));
    } else if (words[0] == "held") {
      OnHeld(from, request, CellIn(words, 2));
    } else {
      OnStored(from, request);
    }
  }

  void OnSynced(uint64_t token) override {
    if (token == kBegun) {
      begun_ = true;
      return;
    }
    const auto [to, request, key] = to_confirm_.at(token);
    to_confirm_.erase(token);
    Send(to, "Stored", key, absl::StrCat("stored ", request));
  }

  std::vector<std::pair<std::string, std::string>> State() const override {
    std::vector<std::pair<std::string, std::string>> state;
    for (const auto& [key, cell] : cells_) {
      if (cell.value.empty()) continue;
      state.emplace_back(key, absl::StrCat(cell.value, " tag ", cell.tag.counter, ".n",
                                           cell.tag.node, ".", cell.tag.life));
    }
    return state;
  }

 private:
  void Send(NodeId to, const std::string& name, const std::string& key, const std::string& words) {
    context_.Send(to, name, key, words, words);
  }

  bool Hold(const std::string& key, const Cell& cell) {
    if (!(cells_[key].tag < cell.tag)) return false;
    cells_[key] = cell;
    return true;
  }

  void Store(NodeId from, uint64_t request, const std::string& key, const Cell& cell) {
    if (Hold(key, cell)) context_.Append(absl::StrCat("cell ", key, " ", ToWords(cell)));
    if (context_.setting("sync") == 0) {
      return Send(from, "Stored", key, absl::StrCat("stored ", request));
    }
    // Also what was there already: it may not be durable yet.
    to_confirm_[++last_sync_] = {from, request, key};
    context_.Sync(last_sync_);
  }

  // Those that have not answered yet, now and again.
  void AskAll(uint64_t request) {
    const Conducted& mine = conducted_.at(request);
    for (int i = 1; i <= context_.nodes(); ++i) {
      const auto to = static_cast<NodeId>(i);
      if (mine.heard.count(to) != 0) continue;
      if (mine.storing) {
        Send(to, "Store", mine.key,
             absl::StrCat("store ", request, " ", mine.key, " ", ToWords(mine.cell)));
      } else {
        Send(to, "Query", mine.key, absl::StrCat("query ", request, " ", mine.key));
      }
    }
    context_.SetTimer(request, kAskAgainUs);
  }

  bool Majority(const Conducted& mine) const {
    return 2 * mine.heard.size() > static_cast<size_t>(context_.nodes());
  }

  void OnHeld(NodeId from, uint64_t request, const Cell& cell) {
    const auto it = conducted_.find(request);
    if (it == conducted_.end() || it->second.storing) return;
    Conducted& mine = it->second;
    if (mine.cell.tag < cell.tag) mine.cell = cell;
    mine.heard.insert(from);
    if (!Majority(mine)) return;
    if (mine.write) {
      // Greater than what this node gave to others meanwhile, too.
      uint64_t& given = given_[mine.key];
      given = std::max(given, mine.cell.tag.counter) + 1;
      mine.cell = {{given, context_.self(), life_}, mine.value};
    }
    const bool unwritten = mine.cell.value.empty();
    if (!mine.write && (unwritten || context_.setting("write_back") == 0)) return Finish(request);
    mine.storing = true;
    mine.heard.clear();
    AskAll(request);
  }

  void OnStored(NodeId from, uint64_t request) {
    const auto it = conducted_.find(request);
    if (it == conducted_.end() || !it->second.storing) return;
    it->second.heard.insert(from);
    if (Majority(it->second)) Finish(request);
  }

  void Finish(uint64_t request) {
    const Conducted& mine = conducted_.at(request);
    context_.Reply(request, Answer::kOk, mine.write ? "" : mine.cell.value);
    conducted_.erase(request);
    context_.CancelTimer(request);
  }

  Context& context_;
  bool begun_ = false;  // this life's number is durable
  uint64_t life_ = 0;
  std::map<std::string, Cell> cells_;
  std::map<std::string, uint64_t> given_;    // the last counter of a tag of this node, by key
  std::map<uint64_t, Conducted> conducted_;  // by request
  std::map<uint64_t, std::tuple<NodeId, uint64_t, std::string>> to_confirm_;  // by sync
  uint64_t last_sync_ = kBegun;
};

}  // namespace

std::unique_ptr<Process> AbdRegister::MakeProcess(Context& context) const {
  return std::make_unique<AbdProcess>(context);
}

}  // namespace norn::sim
