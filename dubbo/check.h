#pragma once

#include <cstdio>
#include <cstdlib>
#include <source_location>

namespace skiff {

// For what cannot happen: ends the program, in release builds too, rather than go on with a wrong
// state. What a peer, a file or a user can bring about is a Result instead.
inline void check(bool holds, const char* what,
                  std::source_location where = std::source_location::current()) {
  if (holds) [[likely]] {
    return;
  }
  std::fprintf(stderr, "%s:%u: cannot happen: %s\n", where.file_name(),
               static_cast<unsigned>(where.line()), what);
  std::abort();
}

}  // namespace skiff
