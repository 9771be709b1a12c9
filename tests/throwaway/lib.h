#pragma once
#include <cstdint>
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
namespace norn { absl::StatusOr<uint64_t> HashOf(absl::string_view text); }
