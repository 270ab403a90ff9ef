// Input: the text of a document "<application>.tag-router".

#include <string>

#include "router_property.h"

namespace skiff::governance {
namespace {

int check(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto rule = parse_tag_rule("demo.tag-router", text)) {
    check_rule(*rule);
  } else {
    SKIFF_PROPERTY(!rule.error().message.empty());
  }
  check_rule(static_tag_rule());
  return 0;
}

}  // namespace
}  // namespace skiff::governance

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return skiff::governance::check(data, size);
}
