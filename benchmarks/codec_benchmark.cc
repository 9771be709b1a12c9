// What it costs to turn a message into a frame and back, per message.
//
// Peers, on the same bytes: memcpy (nothing can be faster) and protobuf's own generated
// code, with an arena that is reused, without the copy into core's structs that using it
// would cost in addition.
//
//   bazel run --config=release //benchmarks:codec_benchmark

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "benchmark/benchmark.h"
#include "core/check.h"
#include "core/messages.h"
#include "core/random.h"
#include "google/protobuf/arena.h"
#include "net/codec.h"
#include "net/frame.h"
#include "net/message_testing.h"
#include "net/wire.pb.h"

namespace norn::net {
namespace {

// The message that every acknowledged put sends N-1 times, with `record_bytes` of record.
Message ReplicaWriteOf(size_t record_bytes) {
  Random random(1);
  return ReplicaWrite{.request = random.Next64(),
                      .layout = 3,
                      .partition = 200,
                      .key = RandomBytes(&random, 20),
                      .record = RandomBytes(&random, record_bytes)};
}

Message GossipOf(size_t members) {
  Gossip gossip;
  for (size_t i = 1; i <= members; ++i) {
    gossip.members.push_back(
        {.id = static_cast<NodeId>(i), .generation = 10 + i, .heartbeat = 100'000 + i});
  }
  return gossip;
}

std::string Encoded(const Message& message) {
  std::string bytes;
  EncodeMessage(message, &bytes);
  return bytes;
}

void SetRates(benchmark::State& state, size_t bytes) {
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes));
}

void Encode(benchmark::State& state, const Message& message) {
  std::string out;
  for (auto _ : state) {
    out.clear();
    EncodeMessage(message, &out);
    benchmark::DoNotOptimize(out.data());
  }
  SetRates(state, out.size());
}

void Decode(benchmark::State& state, const Message& message) {
  const std::string bytes = Encoded(message);
  for (auto _ : state) {
    absl::StatusOr<Message> decoded = DecodeMessage(bytes);
    CORE_CHECK(decoded.ok());
    benchmark::DoNotOptimize(decoded);
  }
  SetRates(state, bytes.size());
}

// As the TCP bus does it: one buffer, header and checksum included.
void EncodeFrame(benchmark::State& state, const Message& message) {
  std::string out;
  for (auto _ : state) {
    out.clear();
    const size_t frame = BeginFrame(&out);
    EncodeMessage(message, &out);
    EndFrame(frame, &out);
    benchmark::DoNotOptimize(out.data());
  }
  SetRates(state, out.size());
}

void ParseFrameAndDecode(benchmark::State& state, const Message& message) {
  std::string bytes;
  AppendFrame(Encoded(message), &bytes);
  FrameParser parser;
  for (auto _ : state) {
    parser.Append(bytes);
    absl::string_view payload;
    CORE_CHECK(parser.Next(&payload));
    absl::StatusOr<Message> decoded = DecodeMessage(payload);
    CORE_CHECK(decoded.ok());
    benchmark::DoNotOptimize(decoded);
  }
  SetRates(state, bytes.size());
}

void PeerMemcpy(benchmark::State& state, const Message& message) {
  const std::string bytes = Encoded(message);
  std::string out(bytes.size(), '\0');
  for (auto _ : state) {
    std::memcpy(&out[0], bytes.data(), bytes.size());
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
  SetRates(state, bytes.size());
}

void PeerProtobufSerialize(benchmark::State& state, const Message& message) {
  v1::Envelope envelope;
  CORE_CHECK(envelope.ParseFromString(Encoded(message)));
  std::string out;
  for (auto _ : state) {
    envelope.SerializeToString(&out);
    benchmark::DoNotOptimize(out.data());
  }
  SetRates(state, out.size());
}

void PeerProtobufArenaParse(benchmark::State& state, const Message& message) {
  const std::string bytes = Encoded(message);
  std::vector<char> block(1 << 20);
  google::protobuf::ArenaOptions options;
  options.initial_block = block.data();
  options.initial_block_size = block.size();
  google::protobuf::Arena arena(options);
  for (auto _ : state) {
    auto* const envelope = google::protobuf::Arena::CreateMessage<v1::Envelope>(&arena);
    CORE_CHECK(envelope->ParseFromString(bytes));
    benchmark::DoNotOptimize(envelope);
    arena.Reset();
  }
  SetRates(state, bytes.size());
}

void RegisterAll() {
  const std::vector<std::pair<std::string, Message>> messages = {
      {"ReplicaWrite/100B", ReplicaWriteOf(100)},
      {"ReplicaWrite/1KB", ReplicaWriteOf(1 << 10)},
      {"ReplicaWrite/64KB", ReplicaWriteOf(64 << 10)},
      {"ReplicaWriteReply", ReplicaWriteReply{.request = ~uint64_t{1},
                                              .status = {},
                                              .life = ~uint64_t{2},
                                              .fences = {{~uint64_t{3}}}}},
      {"Gossip/100", GossipOf(100)},
  };
  const std::vector<std::pair<std::string, void (*)(benchmark::State&, const Message&)>> measures =
      {
          {"Encode", Encode},           {"PeerProtobufSerialize", PeerProtobufSerialize},
          {"Decode", Decode},           {"PeerProtobufArenaParse", PeerProtobufArenaParse},
          {"EncodeFrame", EncodeFrame}, {"ParseFrameAndDecode", ParseFrameAndDecode},
          {"PeerMemcpy", PeerMemcpy},
      };
  for (const auto& [message_name, message] : messages) {
    for (const auto& [measure_name, measure] : measures) {
      benchmark::RegisterBenchmark((message_name + "/" + measure_name).c_str(), measure, message);
    }
  }
}

const bool registered = [] {
  RegisterAll();
  return true;
}();

}  // namespace
}  // namespace norn::net
