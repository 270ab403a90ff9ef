#include "dubbo/durations.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <limits>

namespace skiff::dubbo {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array kUnits = {Unit{"ms", 1}, Unit{"s", 1'000}, Unit{"m", 60'000},
                               Unit{"h", 3'600'000}};

}  // namespace

std::optional<std::chrono::milliseconds> read_duration(std::string_view text) {
  if (text == "0") return std::chrono::milliseconds{0};
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  const std::string_view name = text.substr(static_cast<std::size_t>(end - text.data()));
  for (const Unit& unit : kUnits) {
    if (name != unit.name) continue;
    constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
    if (number > static_cast<std::uint64_t>(kMax) / unit.factor) return std::nullopt;
    return std::chrono::milliseconds(number * unit.factor);
  }
  return std::nullopt;
}

std::string format_duration(std::chrono::milliseconds duration) {
  const auto count = static_cast<std::uint64_t>(duration.count());
  if (count == 0) return "0s";
  for (std::size_t i = kUnits.size(); i-- > 0;) {
    const Unit& unit = kUnits[i];
    if (count % unit.factor == 0)
      return std::to_string(count / unit.factor) + std::string(unit.name);
  }
  return std::to_string(count) + "ms";
}

}  // namespace skiff::dubbo
