// A node in production: one event loop, one host, and the world around them.
//
//   loop thread   the host, the engine, client and peer sockets, the timer
//   lanes         what the engine must not do on the loop (node/job_lanes.h)
//
// What comes from outside is queued as an Event, and all that came in one turn of the loop is
// delivered in one go at its end: ports are never re-entered, the writes of a turn form one
// group of the log and its messages one system call.
//
// Life: Open() -> Run(): starting -> serving -> (SIGTERM, SIGINT) draining -> stopped. While it
// drains it refuses new requests and finishes those in flight. Serving and what it promised
// need no shutdown: what was acknowledged is durable already.
//
// Threads: all methods on one thread.

#ifndef NORN_NODE_SERVER_H_
#define NORN_NODE_SERVER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "asio/io_context.hpp"
#include "asio/signal_set.hpp"
#include "asio/steady_timer.hpp"
#include "core/events.h"
#include "core/host.h"
#include "net/resp_server.h"
#include "net/tcp_bus.h"
#include "node/config.h"
#include "node/group_pacer.h"
#include "node/job_lanes.h"
#include "node/loop_timer.h"
#include "node/note_log.h"
#include "node/real_clock.h"
#include "storage/engine.h"
#include "storage/posix_file_system.h"
#include "storage/record_storage.h"

namespace norn::node {

class Server {
 public:
  // `write_log` gets one line at a time. `config_path` is for INFO.
  Server(Config config, std::string config_path, NoteLog::WriteLine write_log);
  ~Server();

  // Opens the data directory (and recovers it, which may take long) and both ports. The error
  // names the directory, the file or the port, and the remedy: kFailedPrecondition if it is the
  // configuration that has to change or another process that has to end.
  absl::Status Open();

  // Serves until it is drained after a first SIGTERM or SIGINT; a second one ends the process
  // at once with exit code 1. `on_ready` is called when clients are served. An error: it could
  // not finish what was in flight in time.
  absl::Status Run(std::function<void()> on_ready);

  // For the ready line.
  std::string Describe() const;

 private:
  absl::Status OpenStorage();
  absl::Status OpenCheckpointDir();
  absl::Status OpenPorts();
  std::string Info(absl::string_view section) const;

  void Post(Event&& event);
  void ScheduleTurn();
  void Turn();
  void FinishJobs();
  // NORN.CHECKPOINT: `ticket` is the client's.
  void StartCheckpoint(absl::string_view name, uint64_t ticket);
  void FinishCheckpoints();
  void StartJobs();
  void StartLogJob();
  void DeliverAll();
  void CheckStarted();
  void AwaitSignal();
  void AwaitSync();
  void AwaitScrub();
  void AwaitDelayedReplies();
  void AwaitCompaction();
  void OnSignal(int signal);
  void CheckDrained();
  void Stop(absl::Status outcome);
  void Log(Note::Level level, absl::string_view text) const;

  Config config_;
  const std::string config_path_;
  const NoteLog::WriteLine write_log_;

  asio::io_context loop_{1};
  asio::signal_set signals_{loop_};
  asio::steady_timer drain_timer_{loop_};
  asio::steady_timer scrub_timer_{loop_};       // each second
  asio::steady_timer reply_timer_{loop_};       // set while replies are held back
  asio::steady_timer compaction_timer_{loop_};  // set while a compaction is held to its rate
  asio::steady_timer sync_timer_{loop_};        // SyncMode::kInterval
  asio::steady_timer group_timer_{loop_};       // set while the log's next group is held back
  RealClock clock_;
  NoteLog notes_;
  LoopTimer timer_;

  storage::PosixFileSystem file_system_;
  storage::RecoveryReport recovery_;
  std::unique_ptr<storage::Engine> engine_;
  std::unique_ptr<storage::RecordStorage> records_;
  std::unique_ptr<net::TcpBus> bus_;
  std::unique_ptr<net::RespServer> clients_;
  std::unique_ptr<Host> host_;
  std::unique_ptr<JobLanes> lanes_;  // after the engine: its threads end before the engine does

  std::function<void()> on_ready_;
  int64_t started_us_ = 0;
  std::vector<Event> inbox_;  // came in this turn
  std::vector<Event> delivering_;
  std::vector<std::unique_ptr<storage::Job>> finished_jobs_;
  GroupPacer pacer_;
  uint64_t started_sequence_ = 0;  // writes up to here are in a group that has started
  bool log_busy_ = false;
  bool group_held_ = false;
  bool turn_scheduled_ = false;
  bool ready_ = false;
  bool reply_timer_set_ = false;
  int64_t compaction_awaited_us_ = kNever;
  bool draining_ = false;
  bool checkpoint_out_ = false;  // one at a time
  bool stopped_ = false;
  bool refusal_logged_ = false;  // that the store refuses writes
  absl::Status outcome_;
};

}  // namespace norn::node

#endif  // NORN_NODE_SERVER_H_
