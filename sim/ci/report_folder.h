// The folder of a report (sim/ci/ci_report.h says what is in it).

#ifndef NORN_SIM_CI_REPORT_FOLDER_H_
#define NORN_SIM_CI_REPORT_FOLDER_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sim/ci/ci_report.h"

namespace norn::sim {

// Makes the folder, and those above it. kFailedPrecondition: it is there, with something in it;
// old files would be taken for new ones.
absl::Status MakeReportFolder(const std::string& dir);
absl::Status MakeFolder(const std::string& dir);

// kUnavailable names the file.
absl::Status WriteReportFile(const std::string& path, absl::string_view text);
absl::Status CopyReportFile(const std::string& from, const std::string& to);

// report.json and index.html into `dir`, and JUnit's XML to `junit` unless that is empty.
absl::Status WriteReport(const CiReport& report, const std::string& dir, const std::string& junit);
// dir/report.json. kNotFound: there is none, so what should have written it did not end.
absl::StatusOr<CiReport> ReadReport(const std::string& dir);

// What a campaign came to, for people: at most a screen. The last line ends with a newline.
std::string ToText(const CiReport& report, const std::string& dir);

}  // namespace norn::sim

#endif  // NORN_SIM_CI_REPORT_FOLDER_H_
