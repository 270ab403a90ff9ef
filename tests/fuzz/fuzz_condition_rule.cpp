// Input: the text of a document "<key>.condition-router", which is also read as one condition of a
// condition:// URL.

#include <string>

#include "router_property.h"

namespace skiff::governance {
namespace {

int check(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto rule = parse_condition_rule("a.Demo::.condition-router", text)) {
    check_rule(*rule);
  } else {
    SKIFF_PROPERTY(!rule.error().message.empty());
  }
  dubbo::Url url = dubbo::Url::parse("condition://0.0.0.0/a.Demo").value();
  url.parameters["rule"] = dubbo::url_encode(text);
  if (const auto rule = parse_router_url(url)) {
    SKIFF_PROPERTY(rule->rule != nullptr);
    check_rule(rule->rule);
  } else {
    SKIFF_PROPERTY(!rule.error().message.empty());
  }
  return 0;
}

}  // namespace
}  // namespace skiff::governance

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return skiff::governance::check(data, size);
}
