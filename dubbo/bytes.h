#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace skiff::dubbo {

// Bytes that somebody else owns; never outlives the call it is passed to.
using Bytes = std::span<const std::byte>;

inline Bytes as_bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace skiff::dubbo
