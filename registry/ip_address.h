#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dubbo/result.h"

struct sockaddr;

namespace skiff::registry {

// A numeric IPv4 or IPv6 address without a scope.
class IpAddress {
 public:
  static std::optional<IpAddress> parse(std::string_view text);
  // Empty where `address` is null or of another family.
  static std::optional<IpAddress> from(const sockaddr* address);

  bool is_v6() const { return is_v6_; }
  // 4 bytes count for IPv4, 16 for IPv6; network order.
  const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }
  std::string to_string() const;

  bool is_loopback() const;
  bool is_unspecified() const;  // ::, and all of 0.0.0.0/8
  bool is_multicast() const;
  bool is_broadcast() const;      // 255.255.255.255
  bool is_link_local_v6() const;  // fe80::/10: means nothing without a scope
  bool is_mapped_v4() const;      // ::ffff:0:0/96

  auto operator<=>(const IpAddress&) const = default;

 private:
  bool is_v6_ = false;
  std::array<std::uint8_t, 16> bytes_{};
};

// A network in CIDR notation: "10.0.0.0/8", "fd00::/8".
struct IpNetwork {
  IpAddress base;
  unsigned prefix_bits = 0;

  // Fails with kInvalidArgument, also where bits behind the prefix are set.
  static Result<IpNetwork> parse(std::string_view text);
  bool contains(const IpAddress& address) const;
};

}  // namespace skiff::registry
