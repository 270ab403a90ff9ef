#include "governance/rule_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace skiff::governance {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const dubbo::ServiceKey kService{.interface = "a.Demo", .group = "", .version = ""};
constexpr const char* kRouters = "a.Demo::.condition-router";

std::string conditions(const std::string& line) {
  return "configVersion: v3.0\nscope: service\nkey: a.Demo\nforce: true\nconditions: ['" + line +
         "']\n";
}

std::string timeout(int milliseconds) {
  return "configVersion: v3.0\nscope: service\nkey: a.Demo\nenabled: true\n"
         "configs: [{side: consumer, parameters: {timeout: " +
         std::to_string(milliseconds) + "}}]\n";
}

// The names of the routers that a provider of the service gets.
std::vector<std::string> router_names(const RuleSet& rules) {
  const std::vector<dubbo::Url> providers = {
      dubbo::Url::parse("dubbo://10.0.0.1:1/a.Demo?application=p").value()};
  const dubbo::ConsumerIdentity consumer{.application = "c", .host = "10.0.0.9", .parameters = {}};
  const RuleScope scope{.interface = "a.Demo",
                        .group = "",
                        .version = "",
                        .providers = providers,
                        .consumer = consumer};
  Routers routers;
  for (const RouterRulePtr& rule : rules.routers(kService, "c", {"p"}))
    rule->compile(scope, routers);
  std::vector<std::string> names;
  for (const auto& router : routers) names.push_back(router->name());
  return names;
}

TEST(RuleSet, HasConfiguratorsInDubbosOrder) {
  RuleReader reader;
  const RuleSet rules =
      reader.read({.urls = {"override://0.0.0.0/a.Demo?category=configurators&timeout=1"},
                   .documents = {{"a.Demo::.configurators", timeout(3)},
                                 {"c.configurators",
                                  "configVersion: v3.0\nscope: application\nkey: c\nenabled: true\n"
                                  "configs: [{side: consumer, parameters: {timeout: 2}}]\n"}}});
  EXPECT_THAT(rules.problems(), IsEmpty());
  std::vector<std::string> names;
  for (const auto& configurator : rules.configurators(kService, "c")) {
    names.push_back(configurator->name());
  }
  EXPECT_THAT(names, ElementsAre(HasSubstr("override://"), HasSubstr("c.configurators"),
                                 HasSubstr("a.Demo::.configurators")));
}

TEST(RuleSet, HasRoutersInDubbosOrder) {
  RuleReader reader;
  const RuleSet rules = reader.read(
      {.urls = {"condition://0.0.0.0/a.Demo?category=routers&rule=%3D%3E+host%3D10.0.0.1"},
       .documents = {{kRouters, conditions("method=hi => host=10.*")},
                     {"p.tag-router",
                      "configVersion: v3.0\nkey: p\nenabled: true\n"
                      "tags: [{name: gray, addresses: ['10.0.0.1:1']}]\n"},
                     {"c.condition-router",
                      "configVersion: v3.0\nscope: application\nkey: c\n"
                      "conditions: ['=> host=10.*']\n"}}});
  EXPECT_THAT(rules.problems(), IsEmpty());
  EXPECT_THAT(router_names(rules),
              ElementsAre(HasSubstr("p.tag-router"), HasSubstr(kRouters),
                          HasSubstr("c.condition-router"), HasSubstr("condition://")));
}

TEST(RuleReader, KeepsWhatWasRightOfARuleThatIsBrokenNow) {
  RuleReader reader;
  const RuleSet right = reader.read({.urls = {}, .documents = {{kRouters, conditions("=> a=b")}}});
  EXPECT_THAT(router_names(right), SizeIs(1));
  const RuleSet broken = reader.read({.urls = {}, .documents = {{kRouters, "conditions: ["}}});
  EXPECT_THAT(broken.problems(), ElementsAre(HasSubstr("a.Demo::.condition-router: ")));
  EXPECT_EQ(router_names(broken), router_names(right));
  const RuleSet still = reader.read({.urls = {}, .documents = {{kRouters, "conditions: {"}}});
  EXPECT_EQ(router_names(still), router_names(right)) << "also over two broken ones";
  const RuleSet gone = reader.read({});
  EXPECT_THAT(router_names(gone), IsEmpty());
}

TEST(RuleReader, ReadsADocumentThatManyInterfacesShareOnce) {
  RuleReader reader;
  const dubbo::RuleTexts texts{.urls = {}, .documents = {{kRouters, conditions("=> a=b")}}};
  const RuleSet first = reader.read(texts);
  const RuleSet second = reader.read(texts);
  EXPECT_EQ(first.documents().at(kRouters), second.documents().at(kRouters));
  EXPECT_EQ(reader.size(), 1U);
}

TEST(RuleReader, RefusesScriptsAndWhatItDoesNotKnow) {
  RuleReader reader;
  const RuleSet rules = reader.read(
      {.urls = {"not a url", "script://0.0.0.0/a.Demo?rule=x", "empty://0.0.0.0/a.Demo"},
       .documents = {{"a.Demo::.script-router", "type: javascript\nscript: x\n"}}});
  EXPECT_THAT(rules.problems(), SizeIs(3));
}

}  // namespace
}  // namespace skiff::governance
