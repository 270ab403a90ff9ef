#pragma once

#include <cstdint>
#include <string_view>

#include "dubbo/url.h"

namespace skiff::dubbo {

// In the provider URLs that agents register: the port that the provider itself listens on. Rules
// may name a provider by that one, or by the port that it is registered with.
inline constexpr std::string_view kRealPortParameter = "skiff.port";

inline std::uint16_t real_port(const Url& provider) {
  return static_cast<std::uint16_t>(
      provider.number_parameter(kRealPortParameter, provider.port, UINT16_MAX));
}

}  // namespace skiff::dubbo
