#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "governance/yaml_fields.h"

// What the settings of several filters have in common. Each function says in `fields` what is
// wrong with the value of `key`, and returns the fallback then.
namespace skiff::governance {

// Of all requests, in millionths.
struct Share {
  static constexpr std::uint32_t kAll = 1'000'000;

  std::uint32_t millionths = kAll;

  // Whether a request with this random number is one of them.
  bool takes(std::uint64_t random) const { return (random >> 32U) * kAll >> 32U < millionths; }
  std::string to_string() const;  // "2.5 %"
};
// A percentage from 0 to 100 with up to four decimals; all where it is absent.
Share read_share(const YamlFields& fields, const char* key);

// A duration from `min` to an hour; nullopt where it is absent or wrong.
std::optional<std::chrono::milliseconds> read_filter_time(const YamlFields& fields, const char* key,
                                                          std::chrono::milliseconds min);

// A whole number that must be there.
std::int64_t need_count(const YamlFields& fields, const char* key, std::int64_t min,
                        std::int64_t max);

}  // namespace skiff::governance
