#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "dubbo/url.h"

namespace skiff::registry {

// How long Dubbo's consumers let a provider warm up where its URL does not say.
inline constexpr std::chrono::minutes kDefaultWarmup{10};
inline constexpr std::chrono::hours kWarmupMax{24};

inline constexpr std::string_view kWarmupParameter = "warmup";
// Stands for `warmup` in a URL whose weight is not the whole one yet (weight_steps.h).
inline constexpr std::string_view kSteppedWarmupParameter = "skiff.warmup";

// Whether this is such a URL.
inline bool is_weight_step(const dubbo::Url& url) {
  return url.parameters.contains(kSteppedWarmupParameter);
}

// How long the provider warms up, as the balancers read it.
inline std::chrono::milliseconds warmup_of(const dubbo::Url& url) {
  constexpr std::chrono::milliseconds kDefault = kDefaultWarmup;
  constexpr std::chrono::milliseconds kMax = kWarmupMax;
  return std::chrono::milliseconds(url.number_parameter(
      is_weight_step(url) ? kSteppedWarmupParameter : kWarmupParameter,
      static_cast<std::uint64_t>(kDefault.count()), static_cast<std::uint64_t>(kMax.count())));
}

}  // namespace skiff::registry
