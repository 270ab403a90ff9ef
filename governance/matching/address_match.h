#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "governance/yaml_fields.h"

namespace skiff::governance {

// Numeric addresses: "10.0.0.0/8", "10.1.*.*", "10.0.0.1-20", "2001:db8::/32", or one address.
class AddressRange {
 public:
  // nullopt where `text` is none of these.
  static std::optional<AddressRange> parse(std::string_view text);
  bool contains(std::string_view host) const;

 private:
  static std::optional<AddressRange> parse_parts(std::string_view text);

  struct Part {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
  };
  std::vector<Part> parts_;  // 4 bytes of an IPv4 address, 8 groups of an IPv6 address
};

// Dubbo's patterns with one '*', the last one; without any: equality.
bool matches_glob(std::string_view pattern, std::string_view text);

// What a rule asks of an address: Dubbo's AddressMatch. Of several ways in one map the first that
// is written counts, in this order: cird (Dubbo's spelling; `cidr` is read too), wildcard, exact.
class AddressMatch {
 public:
  static AddressMatch read(const YamlFields& fields);

  // `address`: a host, or "host:port".
  bool matches(std::string_view address) const;

 private:
  void read_range(const YamlFields& fields, const char* key);

  std::optional<std::string> range_text_;
  std::optional<AddressRange> range_;
  std::optional<std::string> wildcard_;
  std::optional<std::string> exact_;
};

}  // namespace skiff::governance
