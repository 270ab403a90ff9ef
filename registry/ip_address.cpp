#include "registry/ip_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>

namespace skiff::registry {
namespace {

// The first `bits` of `address`, the rest zero.
std::array<std::uint8_t, 16> masked(const IpAddress& address, unsigned bits) {
  std::array<std::uint8_t, 16> bytes = address.bytes();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const unsigned first_bit = static_cast<unsigned>(i) * 8;
    const unsigned kept = bits > first_bit ? std::min(bits - first_bit, 8U) : 0U;
    bytes[i] = static_cast<std::uint8_t>(bytes[i] & (0xff00U >> kept));
  }
  return bytes;
}

bool starts_with_zeros(const std::array<std::uint8_t, 16>& bytes, std::size_t count) {
  return std::all_of(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count),
                     [](std::uint8_t byte) { return byte == 0; });
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  constexpr std::size_t kLongest = INET6_ADDRSTRLEN;
  if (text.size() >= kLongest || text.find('\0') != std::string_view::npos) return std::nullopt;
  const std::string terminated(text);
  IpAddress address;
  address.is_v6_ = text.find(':') != std::string_view::npos;
  if (inet_pton(address.is_v6_ ? AF_INET6 : AF_INET, terminated.c_str(), address.bytes_.data()) !=
      1) {
    return std::nullopt;
  }
  return address;
}

std::optional<IpAddress> IpAddress::from(const sockaddr* address) {
  if (address == nullptr) return std::nullopt;
  IpAddress result;
  if (address->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof(v4));
    std::memcpy(result.bytes_.data(), &v4.sin_addr, sizeof(v4.sin_addr));
    return result;
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, address, sizeof(v6));
    result.is_v6_ = true;
    std::memcpy(result.bytes_.data(), &v6.sin6_addr, sizeof(v6.sin6_addr));
    return result;
  }
  return std::nullopt;
}

std::string IpAddress::to_string() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(is_v6_ ? AF_INET6 : AF_INET, bytes_.data(), text.data(), text.size());
  return text.data();
}

bool IpAddress::is_loopback() const {
  if (!is_v6_) return bytes_[0] == 127;
  return starts_with_zeros(bytes_, 15) && bytes_[15] == 1;
}

bool IpAddress::is_unspecified() const {
  return is_v6_ ? starts_with_zeros(bytes_, 16) : bytes_[0] == 0;
}

bool IpAddress::is_multicast() const {
  return is_v6_ ? bytes_[0] == 0xff : (bytes_[0] & 0xf0U) == 0xe0U;
}

bool IpAddress::is_broadcast() const {
  return !is_v6_ && bytes_[0] == 0xff && bytes_[1] == 0xff && bytes_[2] == 0xff &&
         bytes_[3] == 0xff;
}

bool IpAddress::is_link_local_v6() const {
  return is_v6_ && bytes_[0] == 0xfe && (bytes_[1] & 0xc0U) == 0x80U;
}

bool IpAddress::is_mapped_v4() const {
  return is_v6_ && starts_with_zeros(bytes_, 10) && bytes_[10] == 0xff && bytes_[11] == 0xff;
}

Result<IpNetwork> IpNetwork::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  const std::string shown = '"' + std::string(text) + '"';
  if (!address || slash == std::string_view::npos) {
    return fail(ErrorCode::kInvalidArgument,
                shown + ": expected a network such as 10.0.0.0/8 or fd00::/8");
  }
  const unsigned longest = address->is_v6() ? 128 : 32;
  const std::string_view digits = text.substr(slash + 1);
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  if (error != std::errc{} || end != digits.data() + digits.size() || bits > longest) {
    return fail(ErrorCode::kInvalidArgument,
                shown + ": expected a prefix length from 0 to " + std::to_string(longest));
  }
  IpNetwork network{*address, bits};
  if (masked(*address, bits) != address->bytes()) {
    return fail(ErrorCode::kInvalidArgument,
                shown + ": bits behind the prefix of " + std::to_string(bits) + " bits are set");
  }
  return network;
}

bool IpNetwork::contains(const IpAddress& address) const {
  return address.is_v6() == base.is_v6() &&
         masked(address, prefix_bits) == masked(base, prefix_bits);
}

}  // namespace skiff::registry
