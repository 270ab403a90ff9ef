#include "registry/zookeeper/session_ticket.h"

#include <spdlog/fmt/fmt.h>

#include <charconv>

namespace skiff::registry {
namespace {

constexpr std::size_t kIdDigits = 16;
constexpr int kHexadecimal = 16;

// Exactly as many digits as `text` has.
template <typename Number>
bool read_hexadecimal(std::string_view text, Number& number) {
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, kHexadecimal);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string SessionTicket::to_string() const {
  if (id == 0) return {};
  std::string text = fmt::format("{:016x}:", static_cast<std::uint64_t>(id));
  for (const char c : password) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

std::optional<SessionTicket> SessionTicket::parse(std::string_view text) {
  SessionTicket ticket;
  if (text.size() != kIdDigits + 1 + 2 * ticket.password.size() || text[kIdDigits] != ':') {
    return std::nullopt;
  }
  std::uint64_t id = 0;
  if (!read_hexadecimal(text.substr(0, kIdDigits), id) || id == 0) return std::nullopt;
  ticket.id = static_cast<std::int64_t>(id);
  text.remove_prefix(kIdDigits + 1);
  for (char& c : ticket.password) {
    unsigned char byte = 0;
    if (!read_hexadecimal(text.substr(0, 2), byte)) return std::nullopt;
    c = static_cast<char>(byte);
    text.remove_prefix(2);
  }
  return ticket;
}

}  // namespace skiff::registry
