#include "node/server.h"

#include <sys/random.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "asio/post.hpp"
#include "core/check.h"
#include "net/handshake.h"
#include "node/info.h"
#include "node/version.h"
#include "storage/file_names.h"

namespace norn::node {

namespace {

uint64_t SystemRandom() {
  uint64_t bits = 0;
  // Up to 256 bytes are never cut short, and need no retry once the kernel is seeded.
  CORE_CHECK(getrandom(&bits, sizeof(bits), 0) == static_cast<ssize_t>(sizeof(bits)));
  return bits;
}

const char* SignalName(int signal) { return signal == SIGTERM ? "SIGTERM" : "SIGINT"; }

// Whether a directory that does not open is a matter of the configuration or of what else
// runs, rather than of the disk.
bool IsSetUpFault(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kInvalidArgument:
      return true;
    default:
      return false;
  }
}

}  // namespace

Server::Server(Config config, std::string config_path, NoteLog::WriteLine write_log)
    : config_(std::move(config)),
      config_path_(std::move(config_path)),
      write_log_(std::move(write_log)),
      notes_(clock_, config_.notes_per_second_max, write_log_),
      timer_(loop_, clock_, [this] { Post(TimerFired{}); }) {}

Server::~Server() {
  lanes_.reset();
  clients_.reset();
  bus_.reset();
}

absl::Status Server::Open() {
  started_us_ = clock_.Read().monotonic_us;
  for (const std::string& warning : config_.warnings) Log(Note::Level::kWarning, warning);
  if (absl::Status status = OpenStorage(); !status.ok()) return status;
  if (absl::Status status = OpenCheckpointDir(); !status.ok()) return status;
  return OpenPorts();
}

absl::Status Server::OpenStorage() {
  config_.engine.seed = SystemRandom();
  config_.engine.group_prefix_bytes = storage::kPartitionPrefixBytes;
  absl::StatusOr<std::unique_ptr<storage::Engine>> engine =
      storage::Engine::Open(file_system_, config_.engine, &recovery_);
  if (!engine.ok()) {
    const std::string text = absl::StrCat("data_dir ", config_.engine.dir, ": ",
                                          absl::string_view(engine.status().message()));
    return IsSetUpFault(engine.status()) ? absl::FailedPreconditionError(text)
                                         : absl::Status(engine.status().code(), text);
  }
  engine_ = *std::move(engine);
  records_ = std::make_unique<storage::RecordStorage>(
      *engine_, RecordHasher(config_.cluster.name, config_.cluster.secret),
      config_.engine.record_cache_bytes);
  const bool damaged = recovery_.suspect || recovery_.possibly_lost_from.has_value();
  for (const std::string& note : recovery_.notes) {
    Log(damaged ? Note::Level::kWarning : Note::Level::kInfo, note);
  }
  Log(Note::Level::kInfo,
      recovery_.created ? absl::StrCat("made the data directory ", config_.engine.dir)
                        : absl::StrCat("recovered ", config_.engine.dir, ": ",
                                       recovery_.wal_records, " writes from the log, in ",
                                       (clock_.Read().monotonic_us - started_us_) / 1000, " ms"));
  return absl::OkStatus();
}

absl::Status Server::OpenCheckpointDir() {
  const std::string& dir = config_.checkpoint_dir;
  if (dir.empty()) return absl::OkStatus();
  absl::Status status = file_system_.CreateDir(dir);
  if (status.ok()) status = file_system_.SyncDir(storage::ParentDirectory(dir));
  if (status.ok()) return status;
  return absl::FailedPreconditionError(
      absl::StrCat("checkpoint_dir: ", absl::string_view(status.message())));
}

absl::Status Server::OpenPorts() {
  const auto write_note = [this](const Note& note) { notes_.Write(note); };

  net::TcpBusOptions bus;
  const uint64_t instance = bus.identity.instance;
  bus.identity = net::MakeIdentity(config_.cluster, config_.node.id, instance);
  bus.listen_address = config_.peer_listen;
  bus.seed = SystemRandom();
  for (const MemberConfig& member : config_.cluster.members) {
    if (member.id != config_.node.id) bus.peers.push_back({member.id, member.address});
  }
  bus_ = std::make_unique<net::TcpBus>(
      &loop_, std::move(bus),
      [this](NodeId from, Message&& message) {
        Post(MessageReceived{from, std::move(message)});
      },
      write_note);

  net::RespServices services;
  services.submit = [this](ClientRequest&& request) { Post(std::move(request)); };
  services.info = [this](absl::string_view section) { return Info(section); };
  services.checkpoint = [this](absl::string_view name, uint64_t ticket) {
    StartCheckpoint(name, ticket);
  };
  services.buckets.clear();
  for (const BucketConfig& bucket : config_.cluster.buckets) {
    services.buckets.push_back({bucket.id, bucket.name, bucket.plain_get == PlainGet::kError});
  }
  services.version = kVersion;
  net::RespServerOptions clients;
  clients.listen_address = config_.client_listen;
  clients_ = std::make_unique<net::RespServer>(&loop_, std::move(clients), std::move(services),
                                               write_note);

  host_ = std::make_unique<Host>(config_.cluster, config_.node,
                                 Ports{.clock = &clock_,
                                       .bus = bus_.get(),
                                       .storage = records_.get(),
                                       .clients = clients_.get(),
                                       .timer = &timer_,
                                       .notes = &notes_});

  for (const absl::Status& status : {bus_->Listen(), clients_->Listen()}) {
    if (!status.ok()) return absl::FailedPreconditionError(status.message());
  }
  return absl::OkStatus();
}

absl::Status Server::Run(std::function<void()> on_ready) {
  on_ready_ = std::move(on_ready);
  lanes_ = std::make_unique<JobLanes>([this] { asio::post(loop_, [this] { Turn(); }); });
  signals_.add(SIGTERM);
  signals_.add(SIGINT);
  AwaitSignal();
  if (config_.engine.sync_mode == storage::SyncMode::kInterval) AwaitSync();
  if (config_.scrub_bytes_per_second > 0) AwaitScrub();
  Start start;
  start.seed = SystemRandom();
  start.recovery = storage::MakeStoreRecovery(*engine_, recovery_);
  Post(std::move(start));
  loop_.run();
  return outcome_;
}

std::string Server::Describe() const {
  return absl::StrCat("node ", config_.node.id, " of ", config_.cluster.name, ", clients ",
                      config_.client_listen, ", peers ", config_.peer_listen, ", data ",
                      config_.engine.dir);
}

// ---- The turn ---------------------------------------------------------------------

void Server::Post(Event&& event) {
  inbox_.push_back(std::move(event));
  ScheduleTurn();
}

void Server::ScheduleTurn() {
  if (turn_scheduled_) return;
  turn_scheduled_ = true;
  // Queued behind the handlers that are ready now: they belong to the same turn.
  asio::post(loop_, [this] { Turn(); });
}

void Server::Turn() {
  turn_scheduled_ = false;
  if (stopped_) return;
  FinishJobs();
  FinishCheckpoints();
  // What was written during the last group's sync goes to the disk while its replies are made.
  StartJobs();
  DeliverAll();
  AwaitDelayedReplies();
  StartJobs();
  AwaitCompaction();
  if (!ready_) CheckStarted();
  if (draining_) CheckDrained();
}

void Server::FinishJobs() {
  lanes_->TakeFinished(&finished_jobs_);
  if (finished_jobs_.empty()) return;
  for (std::unique_ptr<storage::Job>& job : finished_jobs_) {
    if (job->lane() == storage::Lane::kLog) {
      log_busy_ = false;
      pacer_.Finished(clock_.Read().monotonic_us);
    }
    engine_->Finish(std::move(job));
  }
  finished_jobs_.clear();
  if (refusal_logged_) return;
  const absl::Status health = engine_->health();
  if (health.ok()) return;
  refusal_logged_ = true;
  Log(Note::Level::kError,
      absl::StrCat("the store refuses writes until the node is restarted; reads of what is "
                   "durable go on: ",
                   absl::string_view(health.message())));
}

void Server::StartCheckpoint(absl::string_view name, uint64_t ticket) {
  ClientReply refusal;
  refusal.client = ticket;
  refusal.outcome = ClientReply::Outcome::kInvalid;
  if (config_.checkpoint_dir.empty()) {
    refusal.message = "no checkpoints here: set node.checkpoint_dir in the configuration";
  } else if (!storage::IsSlotName(name)) {
    refusal.message = "a checkpoint's name is 1 to 64 letters, digits, '-' and '_'";
  } else if (checkpoint_out_) {
    refusal.outcome = ClientReply::Outcome::kOverloaded;
    refusal.message = "another checkpoint is under way";
  } else {
    checkpoint_out_ = true;
    engine_->Checkpoint({.dir = storage::PathIn(config_.checkpoint_dir, name),
                         .from = "",
                         .to = "",
                         .ticket = ticket});
    return ScheduleTurn();
  }
  clients_->Reply(std::move(refusal));
}

void Server::FinishCheckpoints() {
  for (const storage::Engine::FinishedCheckpoint& finished : engine_->TakeFinishedCheckpoints()) {
    checkpoint_out_ = false;
    ClientReply reply;
    reply.client = finished.ticket;
    if (finished.status.ok()) {
      reply.outcome = ClientReply::Outcome::kOk;
      reply.siblings.push_back(
          {absl::StrCat("OK: writes up to ", finished.sequence, ", ", finished.tables_linked,
                        " tables linked, ", finished.tables_copied, " copied"),
           0});
    } else {
      reply.outcome = absl::IsAlreadyExists(finished.status) ? ClientReply::Outcome::kInvalid
                                                             : ClientReply::Outcome::kUnavailable;
      reply.message = std::string(finished.status.message());
    }
    Log(finished.status.ok() ? Note::Level::kInfo : Note::Level::kError,
        finished.status.ok() ? absl::StrCat("checkpoint in ", config_.checkpoint_dir, ": ",
                                            reply.siblings.front().value)
                             : reply.message);
    clients_->Reply(std::move(reply));
  }
}

void Server::StartJobs() {
  StartLogJob();
  for (const storage::Lane lane : {storage::Lane::kRead, storage::Lane::kBackground}) {
    while (std::unique_ptr<storage::Job> job = engine_->NextJob(lane)) {
      lanes_->Start(std::move(job));
    }
  }
}

void Server::StartLogJob() {
  if (log_busy_) return;
  const int64_t now_us = clock_.Read().monotonic_us;
  const uint64_t last_sequence = engine_->last_sequence();
  const uint64_t waiting = last_sequence - started_sequence_;
  const int64_t start_us = waiting == 0 ? now_us : pacer_.StartAt(now_us, waiting);
  if (start_us > now_us) {
    if (group_held_) return;
    group_held_ = true;
    group_timer_.expires_after(std::chrono::microseconds(start_us - now_us));
    group_timer_.async_wait([this](const asio::error_code&) {
      group_held_ = false;
      ScheduleTurn();
    });
    return;
  }
  std::unique_ptr<storage::Job> job = engine_->NextJob(storage::Lane::kLog);
  if (job == nullptr) return;
  log_busy_ = true;
  // A job of another kind, for a slot say, leaves the writes to the next one.
  pacer_.Started(now_us, waiting);
  started_sequence_ = last_sequence;
  lanes_->Start(std::move(job));
}

// Until nothing is left that could be told the host without waiting for a job.
void Server::DeliverAll() {
  StoreReply reply;
  bool progress = true;
  while (progress) {
    progress = !inbox_.empty();
    delivering_.swap(inbox_);
    for (Event& event : delivering_) host_->Deliver(std::move(event));
    delivering_.clear();
    records_->Pump(clock_.Read().monotonic_us);
    while (records_->PopReply(&reply)) {
      progress = true;
      host_->Deliver(std::move(reply));
    }
  }
}

void Server::CheckStarted() {
  const NodeStatus status = host_->node().Status();
  if (!status.started) return;
  ready_ = true;
  bus_->SetGeneration(status.generation);
  bus_->Start();
  clients_->Start();
  if (on_ready_) on_ready_();
}

// ---- Shutting down ----------------------------------------------------------------

void Server::AwaitSignal() {
  signals_.async_wait([this](const asio::error_code& error, int signal) {
    if (!error) OnSignal(signal);
  });
}

void Server::OnSignal(int signal) {
  if (draining_) {
    Log(Note::Level::kWarning, absl::StrCat("a second ", SignalName(signal), ": ending at once"));
    std::_Exit(EXIT_FAILURE);
  }
  Log(Note::Level::kInfo, absl::StrCat(SignalName(signal), ": draining"));
  draining_ = true;
  engine_->RequestSync();
  AwaitSignal();
  clients_->StopAccepting();
  drain_timer_.expires_after(std::chrono::microseconds(config_.drain_timeout_us));
  drain_timer_.async_wait([this](const asio::error_code& error) {
    if (error) return;
    Stop(absl::DeadlineExceededError(absl::StrCat(
        host_->node().Status().requests_in_flight, " requests were still in flight ",
        config_.drain_timeout_us / 1'000'000, " s after the signal (node.drain_timeout_ms)")));
  });
  Post(Drain{});
}

void Server::AwaitSync() {
  sync_timer_.expires_after(std::chrono::microseconds(config_.sync_interval_us));
  sync_timer_.async_wait([this](const asio::error_code& error) {
    if (error || stopped_) return;
    engine_->RequestSync();
    ScheduleTurn();
    AwaitSync();
  });
}

// One timer is enough: held replies leave in their order.
void Server::AwaitDelayedReplies() {
  const int64_t due_us = records_->NextDue();
  if (due_us == kNever || reply_timer_set_) return;
  reply_timer_set_ = true;
  const int64_t wait_us = std::max<int64_t>(due_us - clock_.Read().monotonic_us, 0);
  reply_timer_.expires_after(std::chrono::microseconds(wait_us));
  reply_timer_.async_wait([this](const asio::error_code& error) {
    reply_timer_set_ = false;
    if (!error) ScheduleTurn();
  });
}

// It can be wanted earlier than it was: then the timer is set anew.
void Server::AwaitCompaction() {
  const int64_t due_us = engine_->NextDue();
  if (due_us >= compaction_awaited_us_) return;
  compaction_awaited_us_ = due_us;
  const int64_t wait_us = std::max<int64_t>(due_us - clock_.Read().monotonic_us, 0);
  compaction_timer_.expires_after(std::chrono::microseconds(wait_us));
  compaction_timer_.async_wait([this](const asio::error_code& error) {
    if (error) return;
    compaction_awaited_us_ = kNever;
    ScheduleTurn();
  });
}

void Server::AwaitScrub() {
  scrub_timer_.expires_after(std::chrono::seconds(1));
  scrub_timer_.async_wait([this](const asio::error_code& error) {
    if (error || stopped_) return;
    engine_->GrantScrub(config_.scrub_bytes_per_second);
    ScheduleTurn();
    AwaitScrub();
  });
}

void Server::CheckDrained() {
  const bool stored = (engine_->durable_sequence() == engine_->last_sequence() && !log_busy_) ||
                      !engine_->health().ok();
  if (stored && inbox_.empty() && host_->node().drained() && clients_->drained()) {
    Stop(absl::OkStatus());
  }
}

void Server::Stop(absl::Status outcome) {
  if (stopped_) return;
  stopped_ = true;
  outcome_ = std::move(outcome);
  clients_->Close();
  bus_->Close();
  loop_.stop();
}

// ---- For people -------------------------------------------------------------------

std::string Server::Info(absl::string_view section) const {
  const NodeStatus status = host_->node().Status();
  const ServerFacts facts = {.cluster = config_.cluster.name,
                             .client_address = config_.client_listen,
                             .peer_address = config_.peer_listen,
                             .data_dir = config_.engine.dir,
                             .config_path = config_path_,
                             .started_us = started_us_,
                             .notes_suppressed = notes_.suppressed()};
  if (section == "server") return ServerInfo(facts, status, RealClock().Read().monotonic_us);
  if (section == "buckets") return BucketsInfo(config_.cluster);
  if (section == "cluster") return ClusterInfo(facts, status, *bus_);
  if (section == "stats") return StatsInfo(status);
  if (section == "storage") {
    return StorageInfo({.stats = engine_->stats(),
                        .health = engine_->health(),
                        .recovery = recovery_,
                        .write_debt = engine_->write_debt(),
                        .delayed_replies = records_->delayed(),
                        .cached_records = records_->cache().entries(),
                        .cached_record_bytes = records_->cache().bytes(),
                        .cache_hits = records_->cache().hits(),
                        .cache_misses = records_->cache().misses(),
                        .jobs_outstanding = lanes_->outstanding()});
  }
  return std::string();
}

void Server::Log(Note::Level level, absl::string_view text) const {
  write_log_(level, OneLine(text));
}

}  // namespace norn::node
