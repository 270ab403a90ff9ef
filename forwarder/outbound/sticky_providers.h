#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "forwarder/limits.h"
#include "forwarder/text_map.h"

namespace skiff::forwarder {

class Endpoint;

// Of a cluster whose policy is sticky: which provider had the last request of each method. Lives on
// its worker's thread.
class StickyProviders {
 public:
  // The index of that provider in `endpoints`; nullopt where it is not there any more.
  std::optional<std::size_t> find(std::string_view method,
                                  std::span<Endpoint* const> endpoints) const {
    const auto found = last_.find(method);
    if (found == last_.end()) return std::nullopt;
    const auto [index, endpoint] = found->second;
    if (index < endpoints.size() && endpoints[index] == endpoint) return index;
    const auto moved = std::ranges::find(endpoints, endpoint);
    if (moved == endpoints.end()) return std::nullopt;
    return static_cast<std::size_t>(moved - endpoints.begin());
  }

  // Where there are too many methods, further ones are not remembered, nor those with long names.
  void note(std::string_view method, std::size_t index, std::span<Endpoint* const> endpoints) {
    auto found = last_.find(method);
    if (found == last_.end()) {
      const bool is_long = method.size() > limits::kMethodNameMaxBytes;
      if (is_long || last_.size() >= limits::kMethodsPerServiceMax) return;
      found = last_.try_emplace(std::string(method)).first;
    }
    found->second = {index, endpoints[index]};
  }

 private:
  struct Last {
    std::size_t index = 0;
    const Endpoint* endpoint = nullptr;  // to be compared: it may be gone
  };
  TextMap<Last> last_;
};

}  // namespace skiff::forwarder
