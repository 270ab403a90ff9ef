#pragma once

#include <chrono>
#include <cstdint>

#include "dubbo/url.h"

namespace skiff::registry {

// How long Dubbo's consumers let a provider warm up where its URL does not say.
inline constexpr std::chrono::minutes kDefaultWarmup{10};
inline constexpr std::chrono::hours kWarmupMax{24};

// The URL's `warmup`, as the balancers read it.
inline std::chrono::milliseconds warmup_of(const dubbo::Url& url) {
  constexpr std::chrono::milliseconds kDefault = kDefaultWarmup;
  constexpr std::chrono::milliseconds kMax = kWarmupMax;
  return std::chrono::milliseconds(
      url.number_parameter("warmup", static_cast<std::uint64_t>(kDefault.count()),
                           static_cast<std::uint64_t>(kMax.count())));
}

}  // namespace skiff::registry
