// Messages and records in words, for transcripts. Request ids are left out: they are drawn.

#ifndef NORN_CORE_TESTING_DESCRIBE_H_
#define NORN_CORE_TESTING_DESCRIBE_H_

#include <string>

#include "absl/strings/string_view.h"
#include "core/messages.h"

namespace norn::testing {

// "{apple by 1.2} seen {1.2, 3.1}": values, and dots by node and counter.
std::string DescribeRecord(absl::string_view encoded);

std::string DescribeMessage(const Message& message);

}  // namespace norn::testing

#endif  // NORN_CORE_TESTING_DESCRIBE_H_
