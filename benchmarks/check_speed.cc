// How fast the checkers of sim/consistency/ are, on histories of registers that behave, and on the
// same with one lie near the end. What is told is the median of several rounds.
//
// No other checker runs beside them here: the zones' peer is the search, on the same history.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "benchmarks/json_file.h"
#include "core/random.h"
#include "sim/consistency/check_history.h"
#include "sim/consistency/read_history.h"

namespace norn::consistency {
namespace {

constexpr char kUsage[] = R"(check_speed: the speed of norn-sim check

  check_speed [--quick] [--json FILE]
      --quick      a tenth of the operations
      --json FILE  writes the figures to FILE as well

Exit codes: 0 done, 1 a verdict was wrong (its speed says nothing), 2 wrong usage or a file
cannot be written.
)";

constexpr int kRounds = 5;

struct Shape {
  int64_t operations = 0;
  int keys = 1;
  int clients = 1;
  bool cas = false;  // reads, writes and cas of five values; else reads and writes, unique values
  bool lie = false;  // a read near the end returns an old value
};

struct Client {
  int64_t operation = -1;  // none
  size_t key = 0;
  size_t place = 0;
  bool done = false;  // took effect
};

// Registers that are asked by clients at random: each operation is called, takes effect, and ends,
// each at a moment of its own. Nobody waits: all clients always have an operation open, or soon.
History Draw(const Shape& shape) {
  Random random(1);
  History history;
  std::vector<ValueId> registers(static_cast<size_t>(shape.keys), kInitialValue);
  for (int i = 0; i < shape.keys; ++i) history.keys.push_back({absl::StrCat(i), {}, {"null"}});
  for (int i = 0; i < shape.clients; ++i) history.processes.push_back(absl::StrCat(i));
  std::vector<Client> clients(static_cast<size_t>(shape.clients));
  const int64_t lie_after = shape.lie ? shape.operations - shape.operations / 50 : kNever;
  bool lied = false;
  for (int64_t position = 1; history.completed < shape.operations; ++position) {
    const auto process = random.Below(clients.size());
    Client& client = clients[process];
    if (client.operation < 0) {
      if (history.operations == shape.operations) continue;
      client = {history.operations++, random.Below(history.keys.size()), 0, false};
      KeyHistory& key = history.keys[client.key];
      client.place = key.operations.size();
      Operation o;
      o.process = static_cast<int32_t>(process);
      o.call = o.call_line = position;
      const uint64_t choice = random.Below(shape.cas ? 3 : 2);
      o.kind = choice == 0 ? Kind::kRead : choice == 1 ? Kind::kWrite : Kind::kCas;
      if (choice != 0 && !shape.cas) {
        o.value = static_cast<ValueId>(key.values.size());
        key.values.push_back(absl::StrCat(o.value));
      } else if (choice != 0) {
        for (ValueId v = 1; key.values.size() < 6; ++v) key.values.push_back(absl::StrCat(v));
        o.value = 1 + static_cast<ValueId>(random.Below(5));
        o.expected = 1 + static_cast<ValueId>(random.Below(5));
      }
      key.operations.push_back(o);
      continue;
    }
    Operation& o = history.keys[client.key].operations[client.place];
    ValueId& value = registers[client.key];
    if (!client.done) {
      client.done = true;
      o.outcome = Outcome::kOk;
      if (o.kind == Kind::kRead) {
        o.value = value;
        if (!lied && history.operations > lie_after && value > 1) {
          o.value = shape.cas ? 0 : value / 2 + 1;
          lied = true;
        }
      } else if (o.kind == Kind::kWrite || o.expected == value) {
        value = o.value;
      } else {
        o.outcome = Outcome::kFailed;
      }
      continue;
    }
    o.end = o.end_line = position;
    ++history.completed;
    client.operation = -1;
  }
  return history;
}

// As clients would have logged it; see read_history.h.
std::string Jsonl(const History& history) {
  struct Line {
    int64_t position;
    std::string text;
  };
  std::vector<Line> lines;
  for (const KeyHistory& key : history.keys) {
    for (const Operation& o : key.operations) {
      const std::string& value = key.values[static_cast<size_t>(o.value)];
      const char* f = o.kind == Kind::kRead ? "read" : "write";
      const std::string head = absl::StrCat("{\"process\":", o.process, ",\"f\":\"", f,
                                            "\",\"key\":", key.key, ",\"value\":");
      lines.push_back({o.call, absl::StrCat(head, o.is_read() ? "null" : value,
                                            ",\"type\":\"invoke\",\"time\":", o.call, "}\n")});
      lines.push_back(
          {o.end, absl::StrCat(head, value, ",\"type\":\"ok\",\"time\":", o.end, "}\n")});
    }
  }
  std::sort(lines.begin(), lines.end(),
            [](const Line& a, const Line& b) { return a.position < b.position; });
  std::string text;
  for (const Line& line : lines) text.append(line.text);
  return text;
}

struct Row {
  std::string name;
  int64_t operations = 0;
  double real_s = 0;       // medians
  double processor_s = 0;  // does not depend on what else the machine does
};

// Into `row`.
void Measure(const std::function<void()>& work, Row* row) {
  std::vector<double> real, processor;
  for (int i = 0; i < kRounds; ++i) {
    const auto began = std::chrono::steady_clock::now();
    const std::clock_t clock_began = std::clock();
    work();
    processor.push_back(static_cast<double>(std::clock() - clock_began) / CLOCKS_PER_SEC);
    real.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
  }
  for (std::vector<double>* seconds : {&real, &processor}) {
    std::sort(seconds->begin(), seconds->end());
  }
  row->real_s = real[real.size() / 2];
  row->processor_s = processor[processor.size() / 2];
}

class Bench {
 public:
  const std::vector<Row>& rows() const { return rows_; }
  bool right() const { return right_; }

  void Check(const Shape& shape, Model model, const std::string& remark = "") {
    const History history = Draw(shape);
    const Verdict wanted = shape.lie ? Verdict::kViolated : Verdict::kValid;
    Verdict verdict = wanted;
    Row row;
    row.operations = shape.operations;
    row.name =
        absl::StrCat(ModelName(model), ", ", shape.keys, shape.keys == 1 ? " key, " : " keys, ",
                     shape.clients, " clients", shape.lie ? ", one lie" : "", remark);
    Measure([&] { verdict = CheckHistory(history, model).verdict; }, &row);
    Add(row);
    if (verdict == wanted) return;
    std::cerr << "check_speed: " << row.name << " is " << VerdictName(verdict) << "\n";
    right_ = false;
  }

  // False: the file cannot be written or read.
  bool Read(const Shape& shape) {
    const char* const folder = std::getenv("TMPDIR");
    const std::string path =
        absl::StrCat(folder == nullptr ? "/tmp" : folder, "/check_speed.jsonl");
    std::ofstream file(path);
    file << Jsonl(Draw(shape));
    file.close();
    bool right = static_cast<bool>(file);
    const auto work = [&] {
      const auto history = ReadHistory(path, Format::kJsonl, BuilderOptions());
      right = right && history.ok() &&
              CheckHistory(*history, Model::kRegister).verdict == Verdict::kValid;
    };
    Row row{"register, 1 key, from a file: read and checked", shape.operations};
    Measure(work, &row);
    std::remove(path.c_str());
    Add(row);
    if (!right) std::cerr << "check_speed: " << path << " cannot be written, or is read wrongly\n";
    return right;
  }

 private:
  void Add(const Row& row) {
    rows_.push_back(row);
    std::cout << absl::StrFormat("  %-52s %9d %10.3f %10.3f %14.0f\n", row.name, row.operations,
                                 row.real_s, row.processor_s,
                                 static_cast<double>(row.operations) / row.processor_s)
              << std::flush;
  }

  std::vector<Row> rows_;
  bool right_ = true;
};

std::string ToJson(const std::vector<Row>& rows) {
  std::string out = "{\"rows\":[";
  for (const Row& row : rows) {
    absl::StrAppendFormat(&out,
                          "%s{\"name\":\"%s\",\"unit\":\"operations/processor "
                          "s\",\"better\":\"higher\",\"norn\":%.0f}",
                          out.back() == '[' ? "" : ",", row.name,
                          static_cast<double>(row.operations) / row.processor_s);
  }
  return out + "]}\n";
}

int Main(int argc, char** argv) {
  int64_t scale = 10;
  std::string json_path;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--quick") {
      scale = 1;
    } else if (word == "--json" && i + 1 < argc) {
      json_path = argv[++i];
    } else if (word == "--help") {
      std::cout << kUsage;
      return 0;
    } else {
      std::cerr << "check_speed: \"" << word << "\" is not understood\n" << kUsage;
      return 2;
    }
  }
  std::cout << absl::StrFormat("  %-52s %9s %10s %10s %14s\n", "model", "operations", "real s",
                               "cpu s", "a cpu second");
  Bench bench;
  const Shape one_key{100'000 * scale, 1, 50, false, false};
  const Shape one_lie{100'000 * scale, 1, 50, false, true};
  const Shape many_keys{10'000 * scale, 1000, 50, true, false};
  bench.Check(one_key, Model::kRegister);
  bench.Check(one_lie, Model::kRegister);
  bench.Check({100'000 * scale, 1000, 50, false, false}, Model::kRegister);
  const Shape ten_clients{100'000 * scale, 1, 10, false, false};
  bench.Check(ten_clients, Model::kRegister);
  bench.Check(ten_clients, Model::kCasRegister, ": by search");
  bench.Check(one_key, Model::kSessions);
  bench.Check(many_keys, Model::kCasRegister);
  bench.Check({10'000 * scale, 1000, 5000, true, false}, Model::kCasRegister);
  bench.Check({10'000 * scale, 1000, 5000, true, true}, Model::kCasRegister);
  bench.Check({10'000 * scale, 1, 10, true, false}, Model::kCasRegister);
  if (!bench.Read(one_key)) return 2;
  if (!bench.right()) return 1;
  if (json_path.empty()) return 0;
  return WriteJsonFile("check_speed", json_path, ToJson(bench.rows())) ? 0 : 2;
}

}  // namespace
}  // namespace norn::consistency

int main(int argc, char** argv) { return norn::consistency::Main(argc, argv); }
