#include "governance/filters/filter_settings.h"

#include <charconv>
#include <cmath>

#include "dubbo/durations.h"
#include "governance/static_routes/limits.h"
#include "governance/static_routes/route_fields.h"

namespace skiff::governance {
namespace {

constexpr double kPercent = Share::kAll / 100.0;

}  // namespace

std::string Share::to_string() const {
  const std::string whole = std::to_string(millionths / 10'000);
  std::string decimals = std::to_string(10'000 + millionths % 10'000).substr(1);
  while (!decimals.empty() && decimals.back() == '0') decimals.pop_back();
  return whole + (decimals.empty() ? "" : "." + decimals) + " %";
}

Share read_share(const YamlFields& fields, const char* key) {
  if (!fields.has(key)) return {};
  const std::string text = fields.text(key);
  double percent = -1;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), percent, std::chars_format::fixed);
  const double millionths = percent * kPercent;
  const bool is_read = error == std::errc() && end == text.data() + text.size();
  const bool is_exact = std::abs(millionths - std::round(millionths)) < 1e-6;
  if (!is_read || !is_exact || percent < 0 || percent > 100) {
    fields.add_error(key, "came '" + text.substr(0, kMaxRouteNameBytes) +
                              "', expected a percentage from 0 to 100, with four decimals at most");
    return {};
  }
  return {static_cast<std::uint32_t>(std::llround(millionths))};
}

std::optional<std::chrono::milliseconds> read_filter_time(const YamlFields& fields, const char* key,
                                                          std::chrono::milliseconds min) {
  if (!fields.has(key)) return std::nullopt;
  const std::string text = read_route_text(fields, key);
  const auto time = dubbo::read_duration(text);
  if (time && *time >= min && *time <= kMaxRouteTimeout) return time;
  fields.add_error(key, "came '" + text + "', expected a duration from " +
                            dubbo::format_duration(min) + " to " +
                            dubbo::format_duration(kMaxRouteTimeout) + " such as 500ms or 2s");
  return std::nullopt;
}

std::int64_t need_count(const YamlFields& fields, const char* key, std::int64_t min,
                        std::int64_t max) {
  if (!fields.has(key)) fields.add_error(std::string(key) + " is missing");
  return fields.integer(key, min, min, max);
}

}  // namespace skiff::governance
