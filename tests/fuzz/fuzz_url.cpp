// Input: the text of a URL, of a registry node's name, or of an address.

#include <string>

#include "dubbo/url.h"
#include "property.h"

namespace skiff::dubbo {
namespace {

void check_url(const Url& url) {
  const std::string printed = url.to_string();
  const auto again = Url::parse(printed);
  SKIFF_PROPERTY(again.has_value() || printed.size() > 65536);
  if (!again) return;
  SKIFF_PROPERTY(again->to_string() == printed);
  SKIFF_PROPERTY(again->service_key() == url.service_key());
  SKIFF_PROPERTY(again->address() == url.address());
  const auto from_node = Url::parse_node_name(url.to_node_name());
  SKIFF_PROPERTY(from_node && *from_node == *again);
  const ServiceKey key = url.service_key();
  SKIFF_PROPERTY(matches(key, key));
  SKIFF_PROPERTY(matches({key.interface, "*", "*"}, key));
  SKIFF_PROPERTY(url.number_parameter("weight", 100, 1000) <= 1000);
}

int check(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto decoded = url_decode(url_encode(text));
  SKIFF_PROPERTY(decoded && *decoded == text);
  if (const auto url = Url::parse(text)) check_url(*url);
  if (const auto url = Url::parse_node_name(text)) check_url(*url);
  if (const auto address = parse_host_port(text, 20880)) {
    SKIFF_PROPERTY(parse_host_port(format_host_port(address->host, address->port)) == *address);
  }
  return 0;
}

}  // namespace
}  // namespace skiff::dubbo

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return skiff::dubbo::check(data, size);
}
