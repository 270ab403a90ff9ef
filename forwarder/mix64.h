#pragma once

#include <cstdint>

namespace skiff::forwarder {

// splitmix64's output function: every bit of the result depends on every bit of `z`.
inline std::uint64_t mix64(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

}  // namespace skiff::forwarder
