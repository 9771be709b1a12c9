#include "benchmarks/json_file.h"

#include <cstdlib>
#include <fstream>
#include <iostream>

#include "absl/strings/str_cat.h"

namespace norn {

bool WriteJsonFile(const char* program, std::string path, absl::string_view json) {
  const char* const directory = std::getenv("BUILD_WORKING_DIRECTORY");
  if (directory != nullptr && !path.empty() && path.front() != '/') {
    path = absl::StrCat(directory, "/", path);
  }
  std::ofstream file(path);
  file << json;
  file.close();
  if (file) return true;
  std::cerr << program << ": cannot write " << path << "\n";
  return false;
}

}  // namespace norn
