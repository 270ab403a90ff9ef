#include "governance/condition/url_values.h"

#include "dubbo/real_port.h"
#include "governance/rule_key.h"

namespace skiff::governance {

std::span<const std::string_view> UrlValues::of(const dubbo::Url& url, std::string_view key) {
  count_ = 0;
  const auto add_part = [this](std::string_view part) {
    if (!part.empty()) add(part);
  };
  if (key == "protocol") add_part(url.protocol);
  if (key == "username") add_part(url.username);
  if (key == "password") add_part(url.password);
  if (key == "host") add_part(url.host);
  if (key == "path") add_part(url.path);
  if (key == "port") add_ports(url);
  if (key == "address") add_address(url);
  if (count_ == 0) {
    const auto parameter = url.parameters.find(key);
    if (parameter != url.parameters.end()) add(parameter->second);
  }
  if (count_ == 0 && key == kRemoteApplicationParameter) add_part(application_of(url));
  return {views_.data(), count_};
}

void UrlValues::add_ports(const dubbo::Url& url) {
  if (url.port == 0) return;
  texts_[0] = std::to_string(url.port);
  add(texts_[0]);
  const std::uint16_t real = dubbo::real_port(url);
  if (real == url.port) return;
  texts_[1] = std::to_string(real);
  add(texts_[1]);
}

void UrlValues::add_address(const dubbo::Url& url) {
  if (url.host.empty()) return;
  const std::uint16_t real = dubbo::real_port(url);
  const bool is_ipv6 = url.host.find(':') != std::string::npos;
  std::size_t next = 0;
  for (const std::uint16_t port : {url.port, real}) {
    if (next != 0 && real == url.port) return;
    texts_[next] = dubbo::format_host_port(url.host, port);
    add(texts_[next++]);
    if (!is_ipv6 || port == 0) continue;
    texts_[next] = url.host + ":" + std::to_string(port);  // as Java writes it
    add(texts_[next++]);
  }
}

dubbo::Url consumer_url(const RuleScope& scope) {
  dubbo::Url url;
  url.protocol = "consumer";
  url.host = scope.consumer.host;
  url.path = scope.interface;
  for (const auto& [key, value] : scope.consumer.parameters) url.parameters[key] = value;
  const auto set = [&url](const char* key, std::string_view value) {
    if (!value.empty()) url.parameters[key] = value;
  };
  set("application", scope.consumer.application);
  set("interface", scope.interface);
  set("group", scope.group);
  set("version", scope.version);
  set("side", "consumer");
  return url;
}

}  // namespace skiff::governance
