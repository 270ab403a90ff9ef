#pragma once

#include <cstdio>
#include <cstdlib>

namespace skiff {

// For what cannot happen: ends the program, in release builds too, rather than go on with a wrong
// state. What a peer, a file or a user can bring about is a Result instead.
inline void check(bool holds, const char* what, const char* file = __builtin_FILE(),
                  int line = __builtin_LINE()) {
  if (holds) [[likely]] {
    return;
  }
  std::fprintf(stderr, "%s:%d: cannot happen: %s\n", file, line, what);
  std::abort();
}

}  // namespace skiff
