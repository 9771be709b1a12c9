// Tells a device that could not read from bytes that are bad: the one may pass, the other will
// not. Both are kDataLoss to whoever asked for a value.

#ifndef NORN_STORAGE_READ_ERROR_H_
#define NORN_STORAGE_READ_ERROR_H_

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/string_view.h"

namespace norn::storage {

inline constexpr absl::string_view kReadErrorUrl = "norn/read-error";

// `status` as an error of the device, if `cause`, an error of the FileSystem port, is one. (A
// file that is missing or too short is there to be read, and wrong.)
inline absl::Status WithCause(absl::Status status, const absl::Status& cause) {
  if (!absl::IsNotFound(cause) && !absl::IsOutOfRange(cause)) {
    status.SetPayload(kReadErrorUrl, absl::Cord("1"));
  }
  return status;
}

inline bool IsReadError(const absl::Status& status) {
  return status.GetPayload(kReadErrorUrl).has_value();
}

}  // namespace norn::storage

#endif  // NORN_STORAGE_READ_ERROR_H_
