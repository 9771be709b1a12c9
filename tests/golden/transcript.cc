#include "tests/golden/transcript.h"

#include <algorithm>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/testing/describe.h"

namespace norn::golden {

namespace {

using testing::Fate;
using testing::MiniCluster;
using testing::MiniOptions;
using Words = std::vector<std::string>;

Words Split(const std::string& line) {
  std::istringstream in(line);
  Words words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

int64_t Number(const std::string& word) { return word == "*" ? 0 : std::stoll(word); }
NodeId Id(const std::string& word) { return static_cast<NodeId>(Number(word)); }
int Optional(const Words& words, size_t index) {
  return index < words.size() ? static_cast<int>(Number(words[index])) : 0;
}

}  // namespace

std::string Transcript::Run(const std::string& text) {
  Transcript transcript;
  std::istringstream in(text);
  std::string out;
  for (std::string line; std::getline(in, line);) {
    absl::StrAppend(&out, line, "\n");
    if (line.empty() || line[0] == '#') continue;
    transcript.lines_.clear();
    transcript.Do(Split(line));
    out.append("----\n");
    for (const std::string& result : transcript.lines_) absl::StrAppend(&out, result, "\n");
    out.append("\n");
    // What came of it the last time.
    while (std::getline(in, line) && !line.empty()) {
    }
  }
  return out;
}

void Transcript::Do(const Words& words) {
  if (words[0] == "cluster") {
    Begin(words);
  } else if (cluster_ == nullptr) {
    lines_.push_back("(begin with: cluster)");
  } else if (!DoRequest(words) && !DoToCluster(words) && !DoLook(words)) {
    lines_.push_back(absl::StrCat("(no such command: ", absl::StrJoin(words, " "), ")"));
  }
}

void Transcript::Begin(const Words& words) {
  MiniOptions options;
  options.gossip = false;
  options.bucket.n = 3;
  for (size_t i = 1; i < words.size(); ++i) {
    const size_t equals = words[i].find('=');
    const std::string name = words[i].substr(0, equals);
    const int64_t value = Number(words[i].substr(equals + 1));
    if (name == "nodes") options.nodes = static_cast<int>(value);
    if (name == "n") options.bucket.n = static_cast<int>(value);
    if (name == "r") options.bucket.r = static_cast<int>(value);
    if (name == "w") options.bucket.w = static_cast<int>(value);
    if (name == "partitions") options.partitions = static_cast<uint32_t>(value);
    if (name == "exchange") options.exchange = value != 0;
    if (name == "gossip") options.gossip = value != 0;
    if (name == "page") options.node.exchange_page_entries = static_cast<size_t>(value);
    if (name == "timeout_ms") options.node.request_timeout_us = value * 1000;
  }
  cluster_ = std::make_unique<MiniCluster>(options);
  rules_.clear();
  sides_.clear();
  cluster_->SetJudge(
      [this](NodeId from, NodeId to, const Message& message) { return FateOf(from, to, message); });
  cluster_->SetTrace([this](const std::string& line) {
    const Words parts = Split(line);
    const bool message = parts.size() > 3 && parts[1] == "->";
    if (!message || hidden_.count(parts[3]) == 0) lines_.push_back(line);
  });
}

Fate Transcript::FateOf(NodeId from, NodeId to, const Message& message) const {
  for (const std::set<NodeId>& side : sides_) {
    if (side.count(from) != side.count(to)) return Fate::kDrop;
  }
  for (const Rule& rule : rules_) {
    const bool matches = (rule.message == "*" || rule.message == MessageName(message)) &&
                         (rule.from == 0 || rule.from == from) && (rule.to == 0 || rule.to == to);
    if (matches) return rule.fate;
  }
  return Fate::kDeliver;
}

bool Transcript::DoRequest(const Words& words) {
  if (words.size() < 3) return false;
  ClientRequest request;
  if (words[0] == "get") {
    request = testing::Get(words[2], Optional(words, 3));
  } else if (words[0] == "delete") {
    request = testing::Delete(words[2]);
  } else if (words.size() < 4) {
    return false;
  } else if (words[0] == "put") {
    request = testing::Put(words[2], words[3], Optional(words, 4));
  } else if (words[0] == "beside") {
    request = testing::PutBeside(words[2], words[3]);
  } else if (words[0] == "after") {
    request = testing::PutAfter(words[2], words[3], last_context_);
  } else {
    return false;
  }
  const uint64_t ticket = cluster_->Ask(Id(words[1]), std::move(request));
  cluster_->Settle();
  const ClientReply* const reply = cluster_->ReplyTo(ticket);
  if (reply == nullptr) lines_.push_back("(no answer yet)");
  if (reply != nullptr && words[0] == "get") last_context_ = reply->context;
  return true;
}

bool Transcript::DoToCluster(const Words& words) {
  const std::string& what = words[0];
  if (what == "tick" && words.size() == 2) {
    cluster_->Run(Number(words[1]) * 1000);
  } else if ((what == "drop" || what == "double" || what == "keep") && words.size() == 4) {
    const Fate fate = what == "drop" ? Fate::kDrop : what == "double" ? Fate::kDouble : Fate::kHold;
    rules_.push_back({fate, words[1], Id(words[2]), Id(words[3])});
  } else if (what == "deliver") {
    rules_.clear();
    sides_.clear();
  } else if (what == "release") {
    cluster_->ReleaseHeld();
  } else if (what == "partition") {
    std::set<NodeId> side;
    for (size_t i = 1; i < words.size() && words[i] != "|"; ++i) side.insert(Id(words[i]));
    sides_.push_back(std::move(side));
  } else if (what == "crash" && words.size() == 2) {
    cluster_->Crash(Id(words[1]));
  } else if ((what == "start" || what == "doubt") && words.size() == 2) {
    cluster_->Start(Id(words[1]), what == "doubt");
  } else if (what == "wipe" && words.size() == 2) {
    cluster_->Wipe(Id(words[1]));
  } else if (what == "suspect" && words.size() == 5) {
    Gossip gossip;
    gossip.suspicions.push_back({Id(words[1]), Id(words[2]),
                                 static_cast<Generation>(Number(words[3])),
                                 static_cast<uint64_t>(Number(words[4]))});
    cluster_->Deliver(Id(words[1]), MessageReceived{Id(words[2]), gossip});
  } else if (!DoDisk(words)) {
    return false;
  }
  cluster_->Settle();
  return true;
}

bool Transcript::DoDisk(const Words& words) {
  if (words[0] != "disk" || words.size() != 3) return false;
  testing::MemoryStore& disk = cluster_->store(Id(words[1]));
  const std::string& what = words[2];
  if (what == "hold") disk.Hold(true);
  if (what == "release") disk.Hold(false);
  if (what == "sync") disk.Sync();
  if (what == "failsync") disk.FailSync();
  if (what == "full") disk.SetFull(true);
  if (what == "room") disk.SetFull(false);
  if (what == "spoil") disk.SpoilAll(true);
  if (what == "mend") disk.MendAll();
  return true;
}

bool Transcript::DoLook(const Words& words) {
  if (words[0] == "show" && words.size() == 2) {
    for (const NodeId id : cluster_->ReplicasOf(words[1])) {
      lines_.push_back(
          absl::StrCat(id, ": ", testing::DescribeRecord(cluster_->RecordAt(id, words[1]))));
    }
    return true;
  }
  if (words[0] == "members" && words.size() == 2) {
    for (const MemberStatus& member : cluster_->Status(Id(words[1])).members) {
      lines_.push_back(absl::StrCat(member.id, " ", LivenessName(member.liveness), " @",
                                    member.generation, ".", member.heartbeat));
    }
    return true;
  }
  if (words[0] == "trace" && words.size() == 3) {
    if (words[2] == "on") {
      hidden_.erase(words[1]);
    } else {
      hidden_.insert(words[1]);
    }
    return true;
  }
  return false;
}

}  // namespace norn::golden
