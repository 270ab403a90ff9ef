#include "governance/matching/address_match.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "dubbo/url.h"

namespace skiff::governance {
namespace {

constexpr std::size_t kPartsOfV4 = 4;
constexpr std::size_t kPartsOfV6 = 8;

// What an address consists of: bytes of IPv4, groups of IPv6. Empty where it is no address.
std::vector<std::uint32_t> parts_of(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  if (inet_pton(AF_INET, host.c_str(), bytes.data()) == 1) {
    return {bytes.begin(), bytes.begin() + kPartsOfV4};
  }
  if (inet_pton(AF_INET6, host.c_str(), bytes.data()) != 1) return {};
  std::vector<std::uint32_t> groups(kPartsOfV6);
  for (std::size_t i = 0; i < kPartsOfV6; ++i) {
    groups[i] = static_cast<std::uint32_t>(bytes[2 * i]) << 8U | bytes[2 * i + 1];
  }
  return groups;
}

std::optional<std::uint32_t> number_in(std::string_view text, int base, std::uint32_t max) {
  std::uint32_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  const bool whole = problem == std::errc() && end == text.data() + text.size() && !text.empty();
  return whole && number <= max ? std::optional(number) : std::nullopt;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    pieces.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return pieces;
}

}  // namespace

std::optional<AddressRange> AddressRange::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::vector<std::uint32_t> address = parts_of(std::string(text.substr(0, slash)));
  if (address.empty()) return parse_parts(text);
  const std::uint32_t bits = address.size() == kPartsOfV4 ? 8 : 16;
  const std::uint32_t all = bits * static_cast<std::uint32_t>(address.size());
  std::optional<std::uint32_t> prefix = all;
  if (slash != std::string_view::npos) prefix = number_in(text.substr(slash + 1), 10, all);
  if (!prefix) return std::nullopt;
  AddressRange range;
  std::uint32_t left = *prefix;
  for (const std::uint32_t part : address) {
    const std::uint32_t fixed = std::min(left, bits);
    const std::uint32_t open = (1U << (bits - fixed)) - 1;
    range.parts_.push_back({.first = part & ~open, .last = part | open});
    left -= fixed;
  }
  return range;
}

std::optional<AddressRange> AddressRange::parse_parts(std::string_view text) {
  const bool is_v6 = text.find(':') != std::string_view::npos;
  const std::uint32_t most = is_v6 ? 0xFFFF : 0xFF;
  const int base = is_v6 ? 16 : 10;
  AddressRange range;
  for (const std::string_view piece : split(text == "*" ? "*.*.*.*" : text, is_v6 ? ':' : '.')) {
    const bool any = piece == "*";
    const std::size_t hyphen = piece.find('-');
    const std::string_view end =
        hyphen == std::string_view::npos ? piece : piece.substr(hyphen + 1);
    const auto first = any ? 0U : number_in(piece.substr(0, hyphen), base, most);
    const auto last = any ? most : number_in(end, base, most);
    if (!first || !last || *last < *first) return std::nullopt;
    range.parts_.push_back({.first = *first, .last = *last});
  }
  if (range.parts_.size() != (is_v6 ? kPartsOfV6 : kPartsOfV4)) return std::nullopt;
  return range;
}

bool AddressRange::contains(std::string_view host) const {
  const std::vector<std::uint32_t> address = parts_of(std::string(host));
  return std::ranges::equal(address, parts_, [](std::uint32_t part, const Part& range) {
    return part >= range.first && part <= range.last;
  });
}

bool matches_glob(std::string_view pattern, std::string_view text) {
  const std::size_t star = pattern.rfind('*');
  if (star == std::string_view::npos) return text == pattern;
  return text.starts_with(pattern.substr(0, star)) && text.ends_with(pattern.substr(star + 1));
}

AddressMatch AddressMatch::read(const YamlFields& fields) {
  fields.refuse_others_than({"cird", "cidr", "wildcard", "exact"});
  AddressMatch match;
  match.read_range(fields, fields.has("cird") ? "cird" : "cidr");
  match.wildcard_ = fields.optional_text("wildcard");
  match.exact_ = fields.optional_text("exact");
  if (!match.range_text_ && !match.wildcard_ && !match.exact_) {
    fields.add_error("expected one of cird, wildcard, exact");
  }
  return match;
}

void AddressMatch::read_range(const YamlFields& fields, const char* key) {
  range_text_ = fields.optional_text(key);
  if (!range_text_) return;
  range_ = AddressRange::parse(*range_text_);
  // "10.0.0.5:20880" is no range, and stands for itself.
  if (!range_ && !dubbo::parse_host_port(*range_text_)) {
    fields.add_error(key, "came '" + *range_text_ + "', expected addresses such as 10.0.0.0/8");
  }
}

bool AddressMatch::matches(std::string_view address) const {
  if (range_text_) {
    return address == *range_text_ || (range_ && range_->contains(address));
  }
  if (wildcard_) return *wildcard_ == "0.0.0.0" || matches_glob(*wildcard_, address);
  return exact_ && address == *exact_;
}

}  // namespace skiff::governance
