#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace skiff::registry {

// What a client needs to take up a session again, also one of an earlier process.
struct SessionTicket {
  std::int64_t id = 0;  // 0: there is no session
  std::array<char, 16> password{};
  bool operator==(const SessionTicket&) const = default;

  // "<id>:<password>", both in hexadecimal digits; "" where there is no session.
  std::string to_string() const;
  // Empty where `text` is not what to_string() writes for a session.
  static std::optional<SessionTicket> parse(std::string_view text);
};

}  // namespace skiff::registry
