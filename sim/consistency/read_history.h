// Reads histories from files: lines of JSON, or Jepsen's EDN.
//
// JSONL: a line for each event, in the order in which the events happened (the lines' order is
// what counts). A call and its answer, for instance:
//   {"process":3,"type":"invoke","f":"write","key":"k1","value":7,"time":1200}
//   {"process":3,"type":"ok","time":1950}
//   {"process":4,"type":"invoke","f":"cas","key":"k1","value":[7,8]}
//   {"process":4,"type":"info"}
// process  integer or string: a client, or a session. One operation at a time. Events of the
//          process "nemesis" are skipped.
// type     invoke; ok: done; fail: certainly not done, and never will be; info: nobody knows. A
//          call without an answer is as one with info.
// f        read, write or cas. In answers optional.
// key      integer or string: which register. All operations have one, or none. In answers
//          optional.
// value    null, a boolean, an integer or a string; 1 and "1" differ. Of a write: in its call. Of
//          a read: in its ok; null: nothing was there. Of a cas: [EXPECTED, NEW] in its call.
// time     integer, in any unit: for the reader of a witness. Must not fall.
// index    integer: must rise. Where it is given, time may fall.
// Other fields are skipped. Empty lines, too.
//
// EDN: maps with the same fields as keywords, one after another or in one vector, tags (as
// #jepsen.history.Op) skipped; nil for null; [KEY VALUE] in the place of a value names the key,
// as Jepsen's independent tests write it.
//
// Files are read as streams; what is kept is some 100 bytes for each operation, and each value
// once.

#ifndef NORN_SIM_CONSISTENCY_READ_HISTORY_H_
#define NORN_SIM_CONSISTENCY_READ_HISTORY_H_

#include <istream>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sim/consistency/history.h"
#include "sim/consistency/history_builder.h"

namespace norn::consistency {

enum class Format { kJsonl, kEdn };

// EDN if the path ends in ".edn", else JSONL.
Format FormatOf(absl::string_view path);

// A value as it is written in JSON, for BuilderOptions::initial. kInvalidArgument: it is not one.
absl::StatusOr<std::string> ValueText(const std::string& json);

// kInvalidArgument "PATH:LINE: what is wrong"; kNotFound if the file cannot be opened.
absl::StatusOr<History> ReadHistory(const std::string& path, Format format, BuilderOptions options);

// The same from a stream; `path` is for messages.
absl::StatusOr<History> ReadJsonl(std::istream& in, const std::string& path,
                                  BuilderOptions options);
absl::StatusOr<History> ReadEdn(std::istream& in, const std::string& path, BuilderOptions options);

}  // namespace norn::consistency

#endif  // NORN_SIM_CONSISTENCY_READ_HISTORY_H_
