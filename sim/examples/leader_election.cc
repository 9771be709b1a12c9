#include "sim/examples/leader_election.h"

#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace norn::sim {

namespace {

enum Timer : uint64_t { kElection = 1, kHeartbeat = 2, kAskAgain = 3, kReign = 4 };
constexpr int64_t kHeartbeatUs = 50'000;
constexpr int64_t kAskAgainUs = 20'000;
constexpr int64_t kReignUs = 500'000;
constexpr int64_t kElectionMinUs = 200'000;
constexpr int64_t kElectionMaxUs = 250'000;

uint64_t Number(const std::string& word) {
  uint64_t number = 0;
  return absl::SimpleAtoi(word, &number) ? number : 0;
}

class ElectionProcess final : public Process {
 public:
  enum class Role { kFollower, kCandidate, kLeader };

  explicit ElectionProcess(Context& context) : context_(context) {}

  // The last record counts: "TERM VOTE".
  void OnStart(const std::vector<std::string>& log) override {
    if (!log.empty()) {
      const std::vector<std::string> words = absl::StrSplit(log.back(), ' ');
      term_ = Number(words[0]);
      vote_ = static_cast<NodeId>(Number(words[1]));
    }
    AwaitLeader();
  }

  void OnTimer(uint64_t timer) override {
    if (timer == kElection) return Stand();
    if (timer == kHeartbeat && role_ == Role::kLeader) return Lead();
    if (timer == kReign && role_ == Role::kLeader) return StepDown();
    if (timer == kAskAgain && role_ == Role::kCandidate) return AskForVotes();
  }

  void OnMessage(NodeId from, const std::string& bytes) override {
    const std::vector<std::string> words = absl::StrSplit(bytes, ' ');
    const uint64_t term = Number(words[1]);
    if (term > term_) {
      if (role_ == Role::kLeader) AwaitLeader();
      BeginTerm(term, kNoNode);
    }
    if (term < term_) return;
    if (words[0] == "ask") {
      Vote(from);
    } else if (words[0] == "vote") {
      OnVote(from);
    } else {
      role_ = Role::kFollower;
      leader_ = from;
      AwaitLeader();
    }
  }

  void OnSynced(uint64_t token) override {
    const auto [term, to] = synced_.at(token);
    synced_.erase(token);
    if (term != term_) return;  // that term is over
    if (to == context_.self()) {
      if (role_ == Role::kCandidate) OnVote(to);
    } else if (context_.setting("sync_votes") != 0) {
      AnswerVote(to);
    }
  }

  void OnRequest(uint64_t request, const ProtocolRequest&) override {
    if (leader_ == kNoNode) return context_.Reply(request, Answer::kFailed, "");
    context_.Reply(request, Answer::kOk, absl::StrCat("n", leader_, " in term ", term_));
  }

  std::vector<std::pair<std::string, std::string>> State() const override {
    const char* const role = role_ == Role::kLeader      ? "leads "
                             : role_ == Role::kCandidate ? "stands in "
                                                         : "follows in ";
    return {
        {"role", absl::StrCat(role, "term ", term_)},
        {"vote", vote_ == kNoNode ? std::string() : absl::StrCat("n", vote_, " in term ", term_)}};
  }

  Role role() const { return role_; }
  uint64_t term() const { return term_; }
  NodeId leader() const { return leader_; }

 private:
  void BeginTerm(uint64_t term, NodeId vote) {
    term_ = term;
    vote_ = vote;
    role_ = Role::kFollower;
    leader_ = kNoNode;
    voters_.clear();
  }

  void AwaitLeader() {
    Random chance = context_.Chance(absl::StrCat("timeout of term ", term_));
    context_.SetTimer(kElection, chance.Between(kElectionMinUs, kElectionMaxUs));
  }

  void MakeVoteDurable(NodeId then_tell) {
    context_.Append(absl::StrCat(term_, " ", vote_));
    synced_[++last_sync_] = {term_, then_tell};
    context_.Sync(last_sync_);
  }

  void Stand() {
    BeginTerm(term_ + 1, context_.self());
    role_ = Role::kCandidate;
    MakeVoteDurable(context_.self());
    AskForVotes();
    AwaitLeader();
  }

  void Send(NodeId to, const char* name, const char* word) {
    const std::string words = absl::StrCat(word, " ", term_);
    context_.Send(to, name, absl::StrCat("term ", term_), words, words);
  }

  void SendAll(const char* name, const char* word) {
    for (int i = 1; i <= context_.nodes(); ++i) {
      const auto to = static_cast<NodeId>(i);
      if (to == context_.self() || voters_.count(to) != 0) continue;
      Send(to, name, word);
    }
  }

  void AskForVotes() {
    SendAll("Ask", "ask");
    context_.SetTimer(kAskAgain, kAskAgainUs);
  }

  void Vote(NodeId candidate) {
    if (vote_ != kNoNode && vote_ != candidate) return;
    vote_ = candidate;
    AwaitLeader();
    MakeVoteDurable(candidate);
    if (context_.setting("sync_votes") == 0) AnswerVote(candidate);
  }

  void AnswerVote(NodeId candidate) { Send(candidate, "Vote", "vote"); }

  void OnVote(NodeId voter) {
    if (role_ != Role::kCandidate) return;
    voters_.insert(voter);
    if (2 * voters_.size() <= static_cast<size_t>(context_.nodes())) return;
    role_ = Role::kLeader;
    leader_ = context_.self();
    voters_.clear();
    context_.CancelTimer(kElection);
    context_.SetTimer(kReign, kReignUs);
    Lead();
  }

  void StepDown() {
    role_ = Role::kFollower;
    leader_ = kNoNode;
    AwaitLeader();
  }

  void Lead() {
    SendAll("Lead", "lead");
    context_.SetTimer(kHeartbeat, kHeartbeatUs);
  }

  Context& context_;
  uint64_t term_ = 0;
  NodeId vote_ = kNoNode;  // in this term
  Role role_ = Role::kFollower;
  NodeId leader_ = kNoNode;                                 // of this term, as far as it knows
  std::set<NodeId> voters_;                                 // for this candidate
  std::map<uint64_t, std::pair<uint64_t, NodeId>> synced_;  // by sync: a vote in a term, for whom
  uint64_t last_sync_ = 0;
};

class ElectionObserver final : public Observer {
 public:
  std::optional<Violation> After(int64_t now_us, NodeId node, const Process& process) override {
    const auto& mine = static_cast<const ElectionProcess&>(process);
    if (mine.role() != ElectionProcess::Role::kLeader) return std::nullopt;
    const auto [it, first] = leaders_.try_emplace(mine.term(), Leader{node, now_us});
    if (first || it->second.node == node) return std::nullopt;
    return Violation{"a term has at most one leader",
                     absl::StrCat("term ", mine.term(), ": n", it->second.node, " leads since ",
                                  it->second.since_us / 1000, " ms, and n", node, " since ",
                                  now_us / 1000, " ms")};
  }

  std::string Missing(const std::vector<const Process*>& nodes) override {
    std::set<NodeId> followed;
    for (const Process* const node : nodes) {
      followed.insert(static_cast<const ElectionProcess*>(node)->leader());
    }
    const bool one = followed.size() == 1 && *followed.begin() != kNoNode;
    return one ? "" : "there is no leader whom all follow";
  }

 private:
  struct Leader {
    NodeId node = kNoNode;
    int64_t since_us = 0;
  };
  std::map<uint64_t, Leader> leaders_;  // by term
};

}  // namespace

std::unique_ptr<Process> LeaderElection::MakeProcess(Context& context) const {
  return std::make_unique<ElectionProcess>(context);
}

std::unique_ptr<Observer> LeaderElection::MakeObserver() const {
  return std::make_unique<ElectionObserver>();
}

}  // namespace norn::sim
