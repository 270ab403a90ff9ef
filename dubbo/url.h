#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "dubbo/result.h"
#include "dubbo/service_key.h"

namespace skiff::dubbo {

// A Dubbo URL: protocol://[user:password@]host:port/path?key=value&...
// Parameters are kept sorted, as Java's toFullString() writes them, and are not escaped one by one.
struct Url {
  std::string protocol;
  std::string username;
  std::string password;
  std::string host;        // an IPv6 address has no brackets here
  std::uint16_t port = 0;  // 0: none was given
  std::string path;        // without the leading slash
  std::map<std::string, std::string, std::less<>> parameters;

  bool operator==(const Url&) const = default;

  // Reads the decoded text. Fails with kMalformed (no protocol, port out of 0..65535, ...) or
  // kTooLarge (over 64 KiB).
  static Result<Url> parse(std::string_view text);
  // Reads the name of a registry node: url_decode, then parse.
  static Result<Url> parse_node_name(std::string_view node_name);

  // The full text: parameters sorted, those with an empty value left out for group and version,
  // IPv6 hosts in brackets.
  std::string to_string() const;
  // to_string() as URLEncoder writes it: the name of the registry node.
  std::string to_node_name() const;

  // "host:port" or "[host]:port".
  std::string address() const;
  // The value of `key`, or `fallback` where it is absent or empty.
  std::string_view parameter(std::string_view key, std::string_view fallback = {}) const;
  // "<method>.<key>" if present, else `key`, else `fallback`.
  std::string_view method_parameter(std::string_view method, std::string_view key,
                                    std::string_view fallback = {}) const;
  // parameter() read as a decimal number; `fallback` where absent, not a number, or above `max`.
  std::uint64_t number_parameter(std::string_view key, std::uint64_t fallback,
                                 std::uint64_t max) const;
  // `interface` parameter (else the path), group and version, normalized.
  ServiceKey service_key() const;
};

// Java's URLEncoder, UTF-8: A-Z a-z 0-9 . - * _ stay, space becomes '+', anything else %XX in upper
// case (3.x consumers search node names for upper-case escapes).
std::string url_encode(std::string_view text);
// The reverse; '+' becomes a space. Fails with kMalformed on a broken escape.
Result<std::string> url_decode(std::string_view text);

// "host:port", "[v6]:port"; `default_port` where none is written and it is not 0. Host may be a
// name; an IPv6 address may stand without brackets, as Java writes it, then a last group behind a
// whole address is the port. Fails with kMalformed.
struct HostPort {
  std::string host;
  std::uint16_t port = 0;
  bool operator==(const HostPort&) const = default;
};
Result<HostPort> parse_host_port(std::string_view text, std::uint16_t default_port = 0);
std::string format_host_port(std::string_view host, std::uint16_t port);

}  // namespace skiff::dubbo
