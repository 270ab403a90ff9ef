#include "governance/tag/tag_addresses.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "dubbo/real_port.h"

namespace skiff::governance {
namespace {

constexpr std::string_view kAnyHost = "0.0.0.0";

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r\n";
  const auto begin = text.find_first_not_of(kSpaces);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpaces) - begin + 1);
}

// One address has one name. An IPv6 address may be written in several ways.
std::string name_of(const std::string& host, std::uint16_t port) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  std::array<char, INET6_ADDRSTRLEN> text{};
  const bool is_ipv6 = inet_pton(AF_INET6, host.c_str(), address.data()) == 1 &&
                       inet_ntop(AF_INET6, address.data(), text.data(), text.size()) != nullptr;
  return dubbo::format_host_port(is_ipv6 ? std::string_view(text.data()) : host, port);
}

struct HostsAndPort {
  std::string_view hosts;
  std::string_view port;  // empty: none is written
};

// A network has no port; an IPv6 address has one behind brackets only.
HostsAndPort split(std::string_view text) {
  if (text.find('/') != std::string_view::npos) return {text, {}};
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return {};
    const std::string_view rest = text.substr(end + 1);
    return {text.substr(1, end - 1), rest.starts_with(':') ? rest.substr(1) : rest};
  }
  const auto colon = text.find(':');
  const bool is_ipv4 = colon != std::string_view::npos && colon == text.rfind(':');
  if (!is_ipv4) return {text, {}};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

std::optional<std::uint16_t> port_in(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool is_port = problem == std::errc() && end == text.data() + text.size() && port != 0;
  return is_port ? std::optional(port) : std::nullopt;
}

bool has_port(const dubbo::Url& provider, std::uint16_t port) {
  return port == provider.port || port == dubbo::real_port(provider);
}

}  // namespace

ProviderAddresses::ProviderAddresses(std::span<const dubbo::Url> providers)
    : providers_(providers) {
  names_.reserve(2 * providers.size());
  for (std::size_t i = 0; i < providers.size(); ++i) {
    const dubbo::Url& provider = providers[i];
    const std::uint16_t real = dubbo::real_port(provider);
    names_.emplace_back(name_of(provider.host, 0), i);
    names_.emplace_back(name_of(provider.host, provider.port), i);
    if (real != provider.port) names_.emplace_back(name_of(provider.host, real), i);
  }
  std::ranges::sort(names_);
}

void ProviderAddresses::add_named(const std::string& address, ProviderSet& named) const {
  using Name = std::pair<std::string, std::size_t>;
  auto name = std::ranges::lower_bound(names_, address, {}, &Name::first);
  for (; name != names_.end() && name->first == address; ++name) named.add(name->second);
}

TagAddresses::TagAddresses(std::span<const std::string> texts) {
  for (const std::string& text : texts) add(trimmed(text));
}

void TagAddresses::add(std::string_view text) {
  if (text == "*" || text == "*.*.*.*") {
    all_ = true;
    return;
  }
  const auto [hosts, port_text] = split(text);
  const auto port = port_text.empty() ? std::optional<std::uint16_t>(0) : port_in(port_text);
  if (!port || hosts.empty() || hosts == "*") return;
  const bool is_range = hosts.find_first_of("*-/") != std::string_view::npos;
  if (hosts == kAnyHost && *port != 0) {
    ports_.push_back(*port);
  } else if (!is_range) {
    exact_.push_back(name_of(std::string(hosts), *port));
  } else if (auto range = AddressRange::parse(hosts)) {
    ranges_.push_back({.hosts = *std::move(range), .port = *port});
  }
}

void TagAddresses::add_named(const ProviderAddresses& providers, ProviderSet& named) const {
  for (const std::string& address : exact_) providers.add_named(address, named);
  if (!all_ && ports_.empty() && ranges_.empty()) return;
  for (std::size_t i = 0; i < providers.providers().size(); ++i) {
    if (all_ || has_in_range(providers.providers()[i])) named.add(i);
  }
}

bool TagAddresses::has_in_range(const dubbo::Url& provider) const {
  const auto has = [&provider](std::uint16_t port) { return has_port(provider, port); };
  return std::ranges::any_of(ports_, has) || std::ranges::any_of(ranges_, [&](const Range& range) {
           return (range.port == 0 || has(range.port)) && range.hosts.contains(provider.host);
         });
}

}  // namespace skiff::governance
