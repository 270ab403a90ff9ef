#include "governance/demand_index.h"

#include <algorithm>
#include <functional>

namespace skiff::governance {
namespace {

std::uint64_t bit_of(std::string_view text) {
  constexpr std::size_t kBits = 64;
  text.remove_prefix(text.size() - std::min(text.size(), DemandIndex::kHashedBytes));
  return std::uint64_t{1} << std::hash<std::string_view>()(text) % kBits;
}

}  // namespace

DemandIndex::Demand DemandIndex::add(const std::optional<AttachmentDemand>& demand) {
  if (!demand) return {};
  const std::uint32_t key = number_of(demand->key);
  if (key == 0) return {};
  std::uint64_t texts = 0;
  for (const std::string_view text : demand->texts) texts |= bit_of(text);
  return {.texts = texts, .key = key};
}

// 0 where there are too many.
std::uint32_t DemandIndex::number_of(std::string_view key) {
  const auto known = std::ranges::find(keys_, key);
  const auto number = static_cast<std::uint32_t>(known - keys_.begin()) + 1;
  if (known != keys_.end()) return number;
  if (keys_.size() == kKeysMax) return 0;
  keys_.push_back(key);
  return number;
}

DemandIndex::Sent DemandIndex::look_at(const RequestView& request) const {
  Sent sent;
  sent.texts_[0] = ~std::uint64_t{0};
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    const auto text = request.attachment(keys_[i]);
    sent.texts_[i + 1] = text ? bit_of(*text) : 0;
  }
  return sent;
}

}  // namespace skiff::governance
