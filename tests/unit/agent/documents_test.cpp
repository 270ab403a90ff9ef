// What is written down must say what the program does.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "agent/api.h"
#include "agent/config_file.h"
#include "agent/metric_list.h"
#include "agent/metrics_page.h"
#include "agent/openapi.h"
#include "agent/settings.h"
#include "agent/settings_reference.h"
#include "governance/static_routes/virtual_host.h"

namespace skiff::agent {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::string read(const std::string& path) {
  const std::ifstream file(std::string(SKIFF_TEST_DATA) + "/../" + path);
  EXPECT_TRUE(file) << path;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::set<std::string> served_routes() {
  std::set<std::string> routes;
  for (const ApiRoute& route : api_routes()) {
    routes.insert(std::string(route.method) + " " + std::string(route.path));
  }
  return routes;
}

TEST(OpenApi, DescribesEveryRouteThatIsServedAndNoOther) {
  const json document = json::parse(openapi_document());
  std::set<std::string> described;
  for (const auto& path : document["paths"].items()) {
    for (const auto& operation : path.value().items()) {
      std::string method = operation.key();
      std::transform(method.begin(), method.end(), method.begin(),
                     [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
      described.insert(method + " " + path.key());
    }
  }
  EXPECT_EQ(described, served_routes());
}

// Every "$ref" below `value`.
void collect_references(const json& value, std::set<std::string>& references) {
  if (value.is_object() && value.contains("$ref")) references.insert(value["$ref"]);
  if (!value.is_structured()) return;
  for (const json& item : value) collect_references(item, references);
}

TEST(OpenApi, RefersOnlyToWhatItDefines) {
  const json document = json::parse(openapi_document());
  EXPECT_EQ(document["openapi"], "3.0.3");
  std::set<std::string> references;
  collect_references(document, references);
  EXPECT_FALSE(references.empty());
  for (const std::string& reference : references) {
    EXPECT_TRUE(document.contains(json::json_pointer(reference.substr(1)))) << reference;
  }
}

TEST(OpenApi, HasAnIdAndAnAnswerForEveryOperation) {
  const json document = json::parse(openapi_document());
  std::set<std::string> ids;
  std::size_t operations = 0;
  for (const json& path : document["paths"]) {
    for (const json& operation : path) {
      ++operations;
      ids.insert(operation["operationId"]);
      EXPECT_TRUE(operation["responses"].contains("200"));
      for (const json& response : operation["responses"]) {
        EXPECT_TRUE(response.contains("description"));
      }
    }
  }
  EXPECT_EQ(ids.size(), operations);
}

TEST(HttpApiManual, NamesEveryRoute) {
  const std::string manual = read("docs/http-api.md");
  for (const ApiRoute& route : api_routes()) {
    std::string path(route.path);
    if (const auto brace = path.find('{'); brace != std::string::npos) path.resize(brace);
    EXPECT_THAT(manual, HasSubstr("`" + std::string(route.method) + " " + path)) << route.path;
  }
}

// The shipped file, with the lines that begin with "# key: value" in force.
std::string uncommented(const std::string& text) {
  std::istringstream lines(text);
  std::string result;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("#") && !line.starts_with("# ") && line.size() > 1) line.erase(0, 1);
    result += line + "\n";
  }
  return result;
}

TEST(ShippedConfiguration, IsInOrderAsItIs) {
  EXPECT_THAT(parse_config_text(read("packaging/skiff.yaml"), "skiff.yaml").errors, IsEmpty());
}

TEST(ShippedConfiguration, DocumentsEveryKeyWithItsDefault) {
  const SourceReading reading =
      parse_config_text(uncommented(read("packaging/skiff.yaml")), "skiff.yaml");
  EXPECT_THAT(reading.errors, IsEmpty());
  std::map<std::string, std::vector<std::string>> documented;
  for (const SourcedValue& value : reading.values) documented.emplace(value.key, value.values);
  for (const Setting& setting : settings()) {
    const auto found = documented.find(std::string(setting.key));
    ASSERT_NE(found, documented.end()) << setting.key;
    if (setting.default_value.empty()) continue;  // it depends on the machine
    EXPECT_THAT(found->second, ElementsAre(std::string(setting.default_value))) << setting.key;
  }
}

// What stands in the comment above a key's line.
std::string comment_above(const std::string& text, std::string_view key) {
  const auto end = text.find("\n#" + std::string(key) + ":");
  if (end == std::string::npos) return "";
  const auto begin = text.rfind("\n\n", end);
  return text.substr(begin, end - begin);
}

TEST(ShippedConfiguration, SaysWhichValuesAKeyMayHave) {
  const std::string text = read("packaging/skiff.yaml");
  for (const Setting& setting : settings()) {
    std::string comment = comment_above(text, setting.key);
    EXPECT_THAT(comment, Not(IsEmpty())) << setting.key;
    // A range may stand at the end of a line.
    for (auto at = comment.find("\n# "); at != std::string::npos; at = comment.find("\n# ")) {
      comment.replace(at, 3, " ");
    }
    EXPECT_THAT(comment, HasSubstr(setting.allowed)) << setting.key;
  }
}

TEST(Settings, NameTheDefaultsThatAreInForce) {
  const auto defaults = to_json(AgentConfig());
  for (const Setting& setting : settings()) {
    EXPECT_NE(setting.default_value.empty(), setting.default_note.empty()) << setting.key;
    if (setting.default_value.empty()) continue;
    AgentConfig config;
    ASSERT_TRUE(setting.apply(config, {std::string(setting.default_value)})) << setting.key;
    EXPECT_EQ(to_json(config), defaults) << setting.key;
  }
}

// The lines between the one that has "begin of the reference" and the one that has "end of ...".
std::string reference_in(const std::string& document) {
  const auto begin = document.find('\n', document.find("begin of the reference"));
  const auto end = document.rfind('\n', document.find("end of the reference"));
  return document.substr(begin + 1, end - begin);
}

TEST(ConfigurationManual, HasTheReferenceThatTheSettingsMake) {
  EXPECT_EQ(reference_in(read("docs/configuration.md")), settings_markdown())
      << "scripts/reference writes it";
  EXPECT_EQ(reference_in(read("packaging/skiff.8")), settings_manual())
      << "scripts/reference writes it";
}

TEST(ConfigurationManual, NamesEveryFlagKeyAndVariable) {
  const std::string manual = read("docs/configuration.md");
  for (const Setting& setting : settings()) {
    EXPECT_THAT(manual, HasSubstr("`" + setting.flag() + "`"));
    EXPECT_THAT(manual, HasSubstr("`" + std::string(setting.key) + "`"));
    EXPECT_THAT(manual, HasSubstr("`" + setting.variable() + "`"));
  }
}

// The texts between "```<language>" and "```".
std::vector<std::string> examples(const std::string& manual, const std::string& language) {
  std::vector<std::string> found;
  const std::string begin = "\n```" + language + "\n";
  for (auto at = manual.find(begin); at != std::string::npos; at = manual.find(begin, at)) {
    at += begin.size();
    found.push_back(manual.substr(at, manual.find("\n```", at) + 1 - at));
  }
  return found;
}

TEST(RoutesManual, ShowsRoutesThatAreRead) {
  const std::string manual = read("docs/routes.md");
  const auto yaml = examples(manual, "yaml");
  const auto json_texts = examples(manual, "json");
  ASSERT_EQ(yaml.size(), 2U);
  ASSERT_EQ(json_texts.size(), 1U);
  const SourceReading file = parse_config_text(yaml[0], "skiff.yaml");
  EXPECT_THAT(file.errors, IsEmpty());
  ASSERT_EQ(file.routes.size(), 1U);
  EXPECT_EQ(file.routes[0]->routes.size(), 3U);
  const auto from_yaml = governance::parse_virtual_host(yaml[1], "echo");
  const auto from_json = governance::parse_virtual_host(json_texts[0], "echo");
  ASSERT_TRUE(from_yaml) << from_yaml.error().message;
  ASSERT_TRUE(from_json) << from_json.error().message;
  EXPECT_EQ(*from_yaml, *from_json);
}

TEST(RoutesManual, SaysWhatAWrongSumIsAnsweredWith) {
  const auto wrong = governance::parse_virtual_host(
      R"({"domains": ["a.Demo"], "clusters": [{"name": "x"}, {"name": "y"}],
  "routes": [{"weighted_clusters": [{"name": "x", "weight": 9}, {"name": "y", "weight": 90}]}]})",
      "demo");
  EXPECT_THAT(read("docs/http-api.md"), HasSubstr("\"" + wrong.error().message + "\""));
}

// scripts/metrics-manual writes it.
TEST(MetricsManual, IsWhatTheListsMake) {
  const std::string manual = read("docs/metrics.md");
  const std::string made = with_metric_tables(manual);
  if (std::getenv("SKIFF_WRITE_MANUAL") != nullptr) {
    std::ofstream(std::string(SKIFF_TEST_DATA) + "/../docs/metrics.md") << made;
    return;
  }
  EXPECT_EQ(manual, made) << "run scripts/metrics-manual";
  for (const MetricSpec& metric : all_metrics()) {
    EXPECT_THAT(manual, HasSubstr("`" + metric.name + "`"));
  }
}

TEST(MetricsPage, ShowsTheMetricsOfTheListsAndNoOthers) {
  std::vector<std::string> shown;
  std::istringstream page(metrics_text({}));
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("# TYPE ")) shown.push_back(line.substr(7));
  }
  std::vector<std::string> declared;
  for (const MetricSpec& metric : all_metrics()) {
    const char* kind = metric.kind == MetricKind::kCounter ? " counter"
                       : metric.kind == MetricKind::kGauge ? " gauge"
                                                           : " histogram";
    declared.push_back(metric.name + kind);
  }
  EXPECT_THAT(shown, ::testing::UnorderedElementsAreArray(declared));
}

}  // namespace
}  // namespace skiff::agent
