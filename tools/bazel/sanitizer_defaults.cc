// Options and suppressions for the sanitizers, as part of every binary: so they also hold for the
// child processes of a test, which an environment variable of the test runner need not reach.

// The sanitizers' run-time libraries look these functions up by name: hence the reserved names.
// NOLINTBEGIN(bugprone-reserved-identifier, readability-identifier-naming)
extern "C" {
const char* __asan_default_options();
const char* __ubsan_default_options();
const char* __tsan_default_options();
const char* __tsan_default_suppressions();

const char* __asan_default_options() {
  return "detect_stack_use_after_return=1:strict_string_checks=1:check_initialization_order=1";
}

const char* __ubsan_default_options() { return "print_stacktrace=1"; }

const char* __tsan_default_options() { return "halt_on_error=1:second_deadlock_stack=1"; }

// Debian's libraries are not instrumented, so TSan does not see their synchronisation. Races in
// our own code are still found: the pattern must match a frame inside the library.
const char* __tsan_default_suppressions() {
  return "race:libabsl_\n"
         "race:absl::*::Mutex::\n"
         "race:absl::*::status_internal::\n"
         "race:absl::*::Status::Unref\n"
         "race:libprotobuf\n"
         "race:libspdlog\n"
         "race:libprometheus-cpp\n"
         "race:std::__exception_ptr::\n"
         "mutex:absl::*::Mutex::\n"
         "called_from_lib:libabsl_synchronization\n"
         "called_from_lib:libspdlog\n";
}
}  // extern "C"
// NOLINTEND(bugprone-reserved-identifier, readability-identifier-naming)
