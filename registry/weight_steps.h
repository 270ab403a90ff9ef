#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dubbo/url.h"

// The weight of a young provider in steps, for consumers that do not let it warm up by themselves.
// Dubbo 3 consumers (3.0 to 3.3) cut `timestamp` out of the names of registry nodes, so their
// balancers (AbstractLoadBalance.getWeight) take every provider for an old one. Pure functions.
//
// Of `steps` weights the k-th is k/steps of the whole one, written at the age (k-1)/(steps-1) of
// `warmup`: four of 100 within 10 minutes are 25 at once, then 50, 75 and, after 10 minutes, 100.
// Dubbo's own weights, which grow evenly from 1, pass each of them between its beginning and end.
//
// Until the last one, the URL has `warmup=1` (ms): consumers that warm up by themselves, which are
// those of Dubbo 2 and our own balancer, would multiply their own share with ours. They must read
// an uptime that is beyond `warmup`; 1 and not 0, since dubbo-go has taken a 0 for absent. The last
// URL is the wanted one, and its `timestamp` tells those consumers by then that it is warm.
//
// What stood in the wanted URL stands in the steps behind "skiff.": `skiff.warmup`, which each of
// them has, `skiff.weight`, `skiff.<method>.weight`.
namespace skiff::registry {

struct SteppedWeight {
  std::uint32_t weight = 0;
  // The age at which the next weight is due; empty: this is the whole one.
  std::optional<std::chrono::milliseconds> next_at = {};

  bool operator==(const SteppedWeight&) const = default;
};

// `weight` at `age`. It is the whole one at once where `steps` is under 2, where weight is under 2
// (0: no traffic is wanted; 1: there is no less), and where steps would follow each other within
// less than kWeightStepMin. `steps` at most kMaxWeightSteps.
SteppedWeight stepped_weight(std::chrono::milliseconds age, std::uint32_t weight,
                             std::chrono::milliseconds warmup, unsigned steps);

struct SteppedUrl {
  dubbo::Url url;
  std::optional<std::chrono::milliseconds> next_at = {};
};

// `wanted` as it is to be written at `age`, its weights for single methods as well; `wanted` itself
// where a step would be longer than kMaxRegisteredUrlBytes.
SteppedUrl url_at(const dubbo::Url& wanted, std::chrono::milliseconds age, unsigned steps);

// The URL that url_at() made `url` from; `url` itself where it is no step. A `warmup` that is the
// default is left out.
dubbo::Url whole_of(dubbo::Url url);

// Whether url_at(wanted) makes, or once made with other `steps`, the step that `url` is.
bool is_step_of(const dubbo::Url& url, const dubbo::Url& wanted);

// The least age at which a URL's weight is at least that of `step`, which is_step_of(wanted).
std::chrono::milliseconds age_of_step(const dubbo::Url& step, const dubbo::Url& wanted,
                                      unsigned steps);

// "weight 50 of 100"
std::string describe_step(const dubbo::Url& step, const dubbo::Url& wanted);

// Whether the value of `key` differs between the steps of one URL.
bool is_stepped_parameter(std::string_view key);

// Whether `key` stands in steps alone.
bool is_parameter_of_steps(std::string_view key);

}  // namespace skiff::registry
