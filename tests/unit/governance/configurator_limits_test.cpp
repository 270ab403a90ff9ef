#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "governance/configurators.h"

namespace skiff::governance {
namespace {

using testing::HasSubstr;

std::string error_of(const std::string& rule) {
  const auto parsed = parse_configurators("a::.configurators", rule);
  return parsed ? "none" : parsed.error().message;
}

TEST(ConfiguratorLimits, ARuleThatListsTooManyAddressesIsRefused) {
  std::string rule = "{key: a, configs: [{side: consumer, parameters: {a: b}, addresses: [";
  for (int i = 0; i < 20'001; ++i) rule += "h" + std::to_string(i) + ",";
  EXPECT_THAT(error_of(rule + "]}, {side: consumer, parameters: {a: b}}]}"),
              HasSubstr("over 20000 addresses"));
}

TEST(ConfiguratorLimits, AliasesDoNotMultiplyALongListWithoutEnd) {
  std::string rule = "key: a\nlist: &list [";
  for (int i = 0; i < 9'000; ++i) rule += "h" + std::to_string(i) + ",";
  rule += "]\nconfigs:\n- &item {side: consumer, parameters: {a: b}, addresses: *list}\n";
  for (int i = 0; i < 1'000; ++i) rule += "- *item\n";
  EXPECT_THAT(error_of(rule), HasSubstr("over 20000 addresses"));
}

TEST(ConfiguratorLimits, ARuleWithTooManyParametersIsRefused) {
  std::string rule = "{key: a, configs: [{side: consumer, parameters: {";
  for (int i = 0; i < 201; ++i) rule += "p" + std::to_string(i) + ": 1,";
  EXPECT_THAT(error_of(rule + "}}]}"), HasSubstr("201 of them, the limit is 200"));
}

TEST(ConfiguratorLimits, ARuleThatIsTooLongIsRefused) {
  const auto parsed = parse_configurators("a::.configurators", std::string(256 * 1024 + 1, ' '));
  ASSERT_FALSE(parsed.has_value());
  EXPECT_EQ(parsed.error().code, ErrorCode::kTooLarge);
}

TEST(ConfiguratorLimits, ADeeplyNestedTextIsRefused) {
  EXPECT_THAT(error_of("configs: " + std::string(100'000, '[')), HasSubstr("not YAML"));
  EXPECT_THAT(error_of(std::string(100'000, '[')), HasSubstr("not YAML"));
}

TEST(ConfiguratorNames, SayWhichItemOfWhichDocument) {
  const auto parsed = parse_configurators("a::.configurators",
                                          "{key: a, configs: [{side: provider, parameters: {a: "
                                          "b}}, {side: consumer, parameters: {a: b}}]}");
  ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
  ASSERT_EQ(parsed->size(), 2U);
  EXPECT_EQ((*parsed)[1]->name(), "configurator a::.configurators, configs[1]");
}

}  // namespace
}  // namespace skiff::governance
