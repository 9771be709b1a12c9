#include "sim/text_proto.h"

#include <fstream>
#include <sstream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "google/protobuf/io/tokenizer.h"

namespace norn::sim {

namespace {

class SyntaxErrors : public google::protobuf::io::ErrorCollector {
 public:
  explicit SyntaxErrors(const std::string& path) : path_(path) {}

  void AddError(int line, int column, const std::string& message) override {
    errors_.push_back(line < 0
                          ? absl::StrCat(path_, ": ", message)
                          : absl::StrCat(path_, ":", line + 1, ":", column + 1, ": ", message));
  }

  const std::vector<std::string>& errors() const { return errors_; }

 private:
  const std::string& path_;
  std::vector<std::string> errors_;
};

}  // namespace

absl::StatusOr<std::string> ReadWholeFile(const std::string& path, absl::string_view what) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (!file) return absl::NotFoundError(absl::StrCat(path, ": no such ", what, ", or unreadable"));
  return text.str();
}

absl::Status ParseTextProto(absl::string_view text, const std::string& path,
                            absl::string_view schema, google::protobuf::Message* message,
                            google::protobuf::TextFormat::ParseInfoTree* tree) {
  SyntaxErrors errors(path);
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&errors);
  parser.WriteLocationsTo(tree);
  if (parser.ParseFromString(std::string(text), message)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(absl::StrJoin(errors.errors(), "\n"), " (", schema,
                                                 " tells what can be written)"));
}

}  // namespace norn::sim
