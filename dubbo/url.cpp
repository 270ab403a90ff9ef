#include "dubbo/url.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>

namespace skiff::dubbo {
namespace {

constexpr std::size_t kMaxUrlBytes = std::size_t{64} * 1024;
constexpr std::size_t kMaxShownBytes = 256;  // of a text in a message
constexpr std::string_view kNeverInNames = ":/?#@[]<>\"\\\x7f";

// As Java's String.trim(): everything up to the space.
std::string_view trimmed(std::string_view text) {
  while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') text.remove_prefix(1);
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
  return text;
}

std::optional<std::uint64_t> parse_number(std::string_view text, std::uint64_t max) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number > max) return std::nullopt;
  return number;
}

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// With or without a scope ("fe80::1%eth0").
bool is_ipv6(std::string_view text) {
  const auto percent = text.find('%');
  if (percent != std::string_view::npos) {
    const std::string_view scope = text.substr(percent + 1);
    const bool is_scope = !scope.empty() && std::all_of(scope.begin(), scope.end(), [](char c) {
      return is_letter_or_digit(c) || c == '.' || c == '-' || c == '_';
    });
    if (!is_scope) return false;
  }
  const std::string address(text.substr(0, percent));
  in6_addr parsed{};
  return address.find('\0') == std::string::npos &&
         inet_pton(AF_INET6, address.c_str(), &parsed) == 1;
}

// Names are not checked further: "*" and names that no DNS knows stand in rules and in tests.
bool is_name_or_ipv4(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) > ' ' && kNeverInNames.find(c) == std::string_view::npos;
  });
}

bool is_protocol_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter_or_digit(c) || c == '+' || c == '-' || c == '.' || c == '_';
  });
}

void parse_parameters(std::string_view text, Url& url) {
  while (!text.empty()) {
    const auto separator = text.find('&');
    const std::string_view part = trimmed(text.substr(0, separator));
    text.remove_prefix(separator == std::string_view::npos ? text.size() : separator + 1);
    if (part.empty()) continue;
    const auto equals = part.find('=');
    const std::string_view key = part.substr(0, equals);
    // Stock Dubbo gives a key without "=" itself as its value.
    const std::string_view value =
        equals == std::string_view::npos ? part : trimmed(part.substr(equals + 1));
    if (!key.empty()) url.parameters.insert_or_assign(std::string(key), std::string(value));
  }
}

// "user:password@host:port"; what stands before the last '@' is the user's.
Result<void> parse_authority(std::string_view text, Url& url) {
  const auto at = text.rfind('@');
  if (at != std::string_view::npos) {
    const std::string_view user = text.substr(0, at);
    const auto colon = user.find(':');
    url.username = user.substr(0, colon);
    if (colon != std::string_view::npos) url.password = user.substr(colon + 1);
    text.remove_prefix(at + 1);
  }
  Result<HostPort> host_port = parse_host_port(text);
  if (!host_port) return tl::unexpected<Error>(std::move(host_port.error()));
  url.host = std::move(host_port->host);
  url.port = host_port->port;
  return {};
}

struct AddressParts {
  std::string_view host;
  std::optional<std::string_view> port = std::nullopt;
  bool has_brackets = false;
};

AddressParts split_address(std::string_view text) {
  if (text.starts_with('[')) {
    const auto bracket = text.find(']');
    const std::string_view rest =
        bracket == std::string_view::npos ? std::string_view{} : text.substr(bracket + 1);
    AddressParts parts{.host = text.substr(1, bracket - 1), .has_brackets = true};
    const bool is_whole = bracket != std::string_view::npos && (rest.empty() || rest[0] == ':');
    if (!is_whole) parts.host = {};
    if (is_whole && !rest.empty()) parts.port = rest.substr(1);
    return parts;
  }
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return {.host = text};
  // Java writes IPv6 hosts without brackets, too: a last group after a whole address is the port.
  if (!is_ipv6(text.substr(0, colon)) && is_ipv6(text)) return {.host = text};
  return {.host = text.substr(0, colon), .port = text.substr(colon + 1)};
}

// For messages.
std::string quoted(std::string_view text) {
  return '"' + std::string(text.substr(0, kMaxShownBytes)) + '"';
}

}  // namespace

Result<HostPort> parse_host_port(std::string_view text, std::uint16_t default_port) {
  const AddressParts parts = split_address(text);
  if (!is_ipv6(parts.host) && (parts.has_brackets || !is_name_or_ipv4(parts.host))) {
    return fail(ErrorCode::kMalformed, "address " + quoted(text) + ": expected host:port, with a " +
                                           "name, an IPv4 address or an IPv6 address in brackets");
  }
  if (!parts.port) return HostPort{std::string(parts.host), default_port};
  const auto number = parse_number(*parts.port, 65535);
  if (!number) {
    return fail(ErrorCode::kMalformed,
                "address " + quoted(text) + ": expected a port from 0 to 65535");
  }
  return HostPort{std::string(parts.host), static_cast<std::uint16_t>(*number)};
}

std::string format_host_port(std::string_view host, std::uint16_t port) {
  std::string text;
  if (host.find(':') == std::string_view::npos) {
    text = host;
  } else {
    text.append(1, '[').append(host).append(1, ']');
  }
  if (port != 0) text.append(1, ':').append(std::to_string(port));
  return text;
}

Result<Url> Url::parse(std::string_view text) {
  if (text.size() > kMaxUrlBytes) {
    return fail(ErrorCode::kTooLarge, "URL of " + std::to_string(text.size()) +
                                          " bytes: the limit is " + std::to_string(kMaxUrlBytes));
  }
  Url url;
  const auto question = text.find('?');
  std::string_view rest = trimmed(text.substr(0, question));
  if (question != std::string_view::npos) parse_parameters(text.substr(question + 1), url);

  const auto protocol_end = rest.find("://");
  if (protocol_end == std::string_view::npos || !is_protocol_name(rest.substr(0, protocol_end))) {
    return fail(ErrorCode::kMalformed,
                "URL " + quoted(rest) + " does not begin with a protocol such as dubbo://");
  }
  url.protocol = rest.substr(0, protocol_end);
  rest.remove_prefix(protocol_end + 3);

  const auto slash = rest.find('/');
  if (slash != std::string_view::npos) url.path = rest.substr(slash + 1);
  if (auto parsed = parse_authority(rest.substr(0, slash), url); !parsed) {
    return tl::unexpected<Error>(std::move(parsed.error()));
  }
  return url;
}

Result<Url> Url::parse_node_name(std::string_view node_name) {
  if (node_name.size() > 3 * kMaxUrlBytes) {
    return fail(ErrorCode::kTooLarge,
                "registry node name of " + std::to_string(node_name.size()) + " bytes");
  }
  Result<std::string> text = url_decode(node_name);
  if (!text) return tl::unexpected<Error>(std::move(text.error()));
  return parse(*text);
}

std::string Url::to_string() const {
  std::string text = protocol;
  text += "://";
  if (!username.empty() || !password.empty()) {
    text += username;
    if (!password.empty()) text.append(1, ':').append(password);
    text += '@';
  }
  text += address();
  if (!path.empty()) text.append(1, '/').append(path);
  char separator = '?';
  for (const auto& [key, value] : parameters) {
    const std::string_view shown = trimmed(value);
    // An empty group or version is not an absent one to stock consumers: they would never match.
    if (shown.empty() && (key == "group" || key == "version")) continue;
    text.append(1, separator).append(key).append(1, '=').append(shown);
    separator = '&';
  }
  return text;
}

std::string Url::to_node_name() const { return url_encode(to_string()); }

std::string Url::address() const { return format_host_port(host, port); }

std::string_view Url::parameter(std::string_view key, std::string_view fallback) const {
  if (const auto found = parameters.find(key);
      found != parameters.end() && !found->second.empty()) {
    return found->second;
  }
  return fallback;
}

std::string_view Url::method_parameter(std::string_view method, std::string_view key,
                                       std::string_view fallback) const {
  std::string method_key;
  method_key.reserve(method.size() + 1 + key.size());
  method_key.append(method).append(1, '.').append(key);
  if (const std::string_view value = parameter(method_key); !value.empty()) return value;
  return parameter(key, fallback);
}

std::uint64_t Url::number_parameter(std::string_view key, std::uint64_t fallback,
                                    std::uint64_t max) const {
  return parse_number(parameter(key), max).value_or(fallback);
}

ServiceKey Url::service_key() const {
  return {.interface = std::string(parameter("interface", path)),
          .group = std::string(parameter("group")),
          .version = std::string(normalized_version(parameter("version")))};
}

}  // namespace skiff::dubbo
