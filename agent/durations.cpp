#include "agent/durations.h"

#include <array>
#include <charconv>
#include <limits>
#include <optional>

#include "agent/text.h"

namespace skiff::agent {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array kSizeUnits = {Unit{"", 1}, Unit{"KiB", 1U << 10}, Unit{"MiB", 1U << 20},
                                   Unit{"GiB", 1U << 30}};

// Takes the digits off the front of `text`. Empty where there are none, or too many.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

std::optional<std::uint64_t> read_size(std::string_view text) {
  const auto number = take_number(text);
  if (!number) return std::nullopt;
  for (const Unit& unit : kSizeUnits) {
    if (text != unit.name) continue;
    constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
    if (*number > static_cast<std::uint64_t>(kMax) / unit.factor) return std::nullopt;
    return *number * unit.factor;
  }
  return std::nullopt;
}

}  // namespace

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const auto read = dubbo::read_duration(text);
  if (!read) {
    return fail(ErrorCode::kInvalidArgument,
                "came " + in_quotes(text) + ", expected a duration such as 500ms, 2s, 1m or 1h");
  }
  return *read;
}

Result<std::uint64_t> parse_size(std::string_view text) {
  const auto read = read_size(text);
  if (!read) {
    return fail(
        ErrorCode::kInvalidArgument,
        "came " + in_quotes(text) + ", expected a number of bytes such as 65536, 64KiB or 8MiB");
  }
  return *read;
}

Result<std::uint64_t> parse_number(std::string_view text, std::uint64_t min, std::uint64_t max) {
  std::string_view rest = text;
  const auto number = take_number(rest);
  if (!number || !rest.empty() || *number < min || *number > max) {
    return fail(ErrorCode::kInvalidArgument,
                "came " + in_quotes(text) + ", expected a whole number from " +
                    std::to_string(min) + " to " + std::to_string(max));
  }
  return *number;
}

}  // namespace skiff::agent
