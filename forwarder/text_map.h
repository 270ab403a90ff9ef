#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace skiff::forwarder {

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>{}(text);
  }
};

// A map by text that is searched with views into buffers, without a copy.
template <typename Value>
using TextMap = std::unordered_map<std::string, Value, TextHash, std::equal_to<>>;

}  // namespace skiff::forwarder
