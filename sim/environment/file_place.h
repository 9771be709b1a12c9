// Where something stands in a file of protobuf's text format, for errors that name file and line.

#ifndef NORN_SIM_ENVIRONMENT_FILE_PLACE_H_
#define NORN_SIM_ENVIRONMENT_FILE_PLACE_H_

#include <string>

#include "absl/status/status.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/text_format.h"

namespace norn::sim {

// A message in the file. What it was made from outlives it.
class FilePlace {
 public:
  using Tree = google::protobuf::TextFormat::ParseInfoTree;

  FilePlace(const std::string& path, const Tree* tree, const google::protobuf::Descriptor* message,
            int line = 0)
      : path_(path), tree_(tree), message_(message), line_(line) {}

  // A message in this one: the `index`-th of a repeated field.
  FilePlace In(const std::string& field, int index = -1) const;

  // kInvalidArgument "PATH:LINE: why": the line of the field, if it was written, or else of this.
  absl::Status Wrong(const std::string& field, const std::string& why, int index = -1) const;
  absl::Status Wrong(const std::string& why) const;

 private:
  int LineOf(const std::string& field, int index) const;

  const std::string& path_;
  const Tree* tree_;  // null: nothing is known of what is in here
  const google::protobuf::Descriptor* message_;
  int line_;  // from 1; 0: the whole file
};

}  // namespace norn::sim

#endif  // NORN_SIM_ENVIRONMENT_FILE_PLACE_H_
