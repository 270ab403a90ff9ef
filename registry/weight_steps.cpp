#include "registry/weight_steps.h"

#include <algorithm>
#include <limits>
#include <map>
#include <string>
#include <utility>

#include "registry/limits.h"
#include "registry/warmup.h"

namespace skiff::registry {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kWeight = "weight";
constexpr std::string_view kMethodWeightSuffix = ".weight";
constexpr std::uint32_t kDefaultWeight = 100;

constexpr std::string_view kKept = "skiff.";  // the wanted value stands behind it

bool is_kept(std::string_view key) { return key.starts_with(kKept); }

bool is_method_weight(std::string_view key) {
  return key.ends_with(kMethodWeightSuffix) && !is_kept(key);
}

bool is_stepped(std::string_view key) {
  return key == kWeight || key == kWarmupParameter || is_method_weight(key);
}

std::uint32_t weight_in(const dubbo::Url& url, std::string_view key = kWeight) {
  constexpr std::uint64_t kJavaMax = std::numeric_limits<std::int32_t>::max();
  return static_cast<std::uint32_t>(url.number_parameter(key, kDefaultWeight, kJavaMax));
}

// When the weight with this number, from 0, is due.
milliseconds begin_of(unsigned number, milliseconds warmup, unsigned steps) {
  return std::chrono::ceil<milliseconds>(warmup * number / static_cast<double>(steps - 1));
}

dubbo::Url without_stepped_parameters(dubbo::Url url) {
  std::erase_if(url.parameters,
                [](const auto& entry) { return is_stepped_parameter(entry.first); });
  return url;
}

}  // namespace

SteppedWeight stepped_weight(milliseconds age, std::uint32_t weight, milliseconds warmup,
                             unsigned steps) {
  if (steps < 2 || weight < 2 || warmup < kWeightStepMin * (steps - 1)) return {.weight = weight};
  unsigned next = 1;
  while (next < steps && begin_of(next, warmup, steps) <= age) ++next;
  if (next == steps) return {.weight = weight};
  const auto part = static_cast<std::uint32_t>(std::uint64_t{weight} * next / steps);
  return {.weight = std::max(part, 1U), .next_at = begin_of(next, warmup, steps)};
}

SteppedUrl url_at(const dubbo::Url& wanted, milliseconds age, unsigned steps) {
  const milliseconds warmup = warmup_of(wanted);
  const SteppedWeight now = stepped_weight(age, weight_in(wanted), warmup, steps);
  SteppedUrl stepped{.url = wanted, .next_at = now.next_at};
  if (!now.next_at) return stepped;
  auto& parameters = stepped.url.parameters;
  for (const auto& [key, value] : wanted.parameters) {
    if (!is_stepped(key)) continue;
    parameters.insert_or_assign(std::string(kKept) + key, value);
    if (!is_method_weight(key)) continue;
    parameters[key] =
        std::to_string(stepped_weight(age, weight_in(wanted, key), warmup, steps).weight);
  }
  parameters.insert_or_assign(std::string(kWeight), std::to_string(now.weight));
  parameters.insert_or_assign(std::string(kWarmupParameter), "1");
  parameters.insert_or_assign(std::string(kSteppedWarmupParameter), std::to_string(warmup.count()));
  if (stepped.url.to_string().size() > kMaxRegisteredUrlBytes) return {.url = wanted};
  return stepped;
}

dubbo::Url whole_of(dubbo::Url url) {
  if (!is_weight_step(url)) return url;
  const milliseconds warmup = warmup_of(url);
  std::map<std::string, std::string, std::less<>> whole;
  for (auto& [key, value] : url.parameters) {
    const std::string_view name = key;
    if (is_kept(name) && is_stepped(name.substr(kKept.size()))) {
      whole.insert_or_assign(std::string(name.substr(kKept.size())), std::move(value));
    } else if (!is_stepped(name)) {
      whole.insert_or_assign(key, std::move(value));
    }
  }
  if (warmup == milliseconds(kDefaultWarmup)) whole.erase(std::string(kWarmupParameter));
  url.parameters = std::move(whole);
  return url;
}

bool is_step_of(const dubbo::Url& url, const dubbo::Url& wanted) {
  return is_weight_step(url) && !is_weight_step(wanted) && warmup_of(url) == warmup_of(wanted) &&
         without_stepped_parameters(url) == without_stepped_parameters(wanted);
}

milliseconds age_of_step(const dubbo::Url& step, const dubbo::Url& wanted, unsigned steps) {
  milliseconds age{0};
  for (;;) {
    const SteppedUrl at_age = url_at(wanted, age, steps);
    if (!at_age.next_at || weight_in(at_age.url) >= weight_in(step)) return age;
    age = *at_age.next_at;
  }
}

std::string describe_step(const dubbo::Url& step, const dubbo::Url& wanted) {
  return "weight " + std::to_string(weight_in(step)) + " of " + std::to_string(weight_in(wanted));
}

bool is_stepped_parameter(std::string_view key) {
  return is_stepped(key) || is_parameter_of_steps(key);
}

bool is_parameter_of_steps(std::string_view key) {
  return is_kept(key) && is_stepped(key.substr(kKept.size()));
}

}  // namespace skiff::registry
