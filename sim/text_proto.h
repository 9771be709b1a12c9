// Reads a message of protobuf's text format from a file, with the file and line of what is wrong.

#ifndef NORN_SIM_TEXT_PROTO_H_
#define NORN_SIM_TEXT_PROTO_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"
#include "google/protobuf/text_format.h"

namespace norn::sim {

// kNotFound "PATH: no such WHAT, or unreadable".
absl::StatusOr<std::string> ReadWholeFile(const std::string& path, absl::string_view what);

// kInvalidArgument "PATH:LINE:COLUMN: ...", a line for each error; `schema` is the file that tells
// what can be written. `tree` takes down where each field stands.
absl::Status ParseTextProto(absl::string_view text, const std::string& path,
                            absl::string_view schema, google::protobuf::Message* message,
                            google::protobuf::TextFormat::ParseInfoTree* tree);

}  // namespace norn::sim

#endif  // NORN_SIM_TEXT_PROTO_H_
