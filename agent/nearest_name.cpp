#include "agent/nearest_name.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "agent/text.h"

namespace skiff::agent {
namespace {

// Longer names are nobody's slip of the finger.
constexpr std::size_t kMaxLetters = 64;

// Levenshtein's distance, row by row.
std::size_t distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < to.size(); ++j) {
      const std::size_t replaced = diagonal + (from[i] == to[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::optional<std::string> nearest_name(std::string_view name, std::span<const std::string> names) {
  if (name.size() > kMaxLetters) return std::nullopt;
  const std::string* nearest = nullptr;
  std::size_t least = (name.size() + 2) / 3 + 1;
  for (const std::string& candidate : names) {
    const std::size_t letters = distance(name, candidate);
    if (letters >= least) continue;
    least = letters;
    nearest = &candidate;
  }
  if (nearest == nullptr) return std::nullopt;
  return *nearest;
}

std::string did_you_mean(std::string_view name, std::span<const std::string> names) {
  const auto nearest = nearest_name(name, names);
  return nearest ? "; did you mean " + in_quotes(*nearest) + "?" : "";
}

}  // namespace skiff::agent
