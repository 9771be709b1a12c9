// A transcript: commands to a small cluster, each followed by what came of it.
//
//   # a comment
//   command word word ...
//   ----
//   what came of it, line by line, up to an empty line
//
// Commands (NODE, FROM, TO are numbers; * is any):
//   cluster NAME=NUMBER ...    nodes n r w partitions exchange gossip page timeout_ms: begins
//   put|beside NODE KEY VALUE [W]    after NODE KEY VALUE (with the context of the last get)
//   get NODE KEY [R]           delete NODE KEY
//   drop|double|keep MESSAGE FROM TO     until `deliver`; first match counts
//   release                    what was kept travels on
//   partition NODES | NODES    only within a side; `deliver` ends it
//   crash|start|doubt|wipe NODE    stop; start again; the same with a doubtful disk; lose the disk
//   disk NODE hold|sync|release|failsync|full|room|spoil|mend
//   suspect NODE BY GENERATION HEARTBEAT    NODE hears that it is suspected
//   tick MILLISECONDS          time passes
//   show KEY                   the record at each of its replicas
//   members NODE               what NODE thinks of all
//   trace MESSAGE on|off       Gossip is off at first

#ifndef NORN_TESTS_GOLDEN_TRANSCRIPT_H_
#define NORN_TESTS_GOLDEN_TRANSCRIPT_H_

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/testing/mini_cluster.h"

namespace norn::golden {

class Transcript {
 public:
  // Runs all commands of `text` and returns it with what came of them this time.
  static std::string Run(const std::string& text);

 private:
  struct Rule {
    testing::Fate fate;
    std::string message;
    NodeId from;  // 0: any
    NodeId to;
  };

  void Do(const std::vector<std::string>& words);
  bool DoToCluster(const std::vector<std::string>& words);
  bool DoRequest(const std::vector<std::string>& words);
  bool DoDisk(const std::vector<std::string>& words);
  bool DoLook(const std::vector<std::string>& words);
  void Begin(const std::vector<std::string>& words);
  testing::Fate FateOf(NodeId from, NodeId to, const Message& message) const;

  std::unique_ptr<testing::MiniCluster> cluster_;
  std::vector<Rule> rules_;
  std::vector<std::set<NodeId>> sides_;
  std::set<std::string> hidden_ = {"Gossip"};
  std::string last_context_;
  std::vector<std::string> lines_;
};

}  // namespace norn::golden

#endif  // NORN_TESTS_GOLDEN_TRANSCRIPT_H_
