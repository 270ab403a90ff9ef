#pragma once

#include <cstdio>
#include <cstdlib>

// Stops the fuzzer where something that must hold does not; stays on in every build.
#define SKIFF_PROPERTY(condition)                                                           \
  do {                                                                                      \
    if (!(condition)) {                                                                     \
      std::fprintf(stderr, "%s:%d: property broken: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                         \
    }                                                                                       \
  } while (false)
