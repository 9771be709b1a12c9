// CORE_CHECK: an assertion that stays on in release builds.
//
// A replica that has lost its mind must stop before it speaks: a wrong answer spreads,
// a crash does not. TigerBeetle's rule: about two assertions a function, always on.

#ifndef NORN_CORE_CHECK_H_
#define NORN_CORE_CHECK_H_

namespace norn {

// Prints `file:line: check failed: text` to standard error and aborts.
[[noreturn]] void CheckFailed(const char* file, int line, const char* text);

}  // namespace norn

#define CORE_CHECK(condition)                              \
  do {                                                     \
    if (__builtin_expect(!(condition), 0)) {               \
      ::norn::CheckFailed(__FILE__, __LINE__, #condition); \
    }                                                      \
  } while (false)

#endif  // NORN_CORE_CHECK_H_
