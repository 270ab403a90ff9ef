// What is written down must say what the program does.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "agent/api.h"
#include "agent/config_file.h"
#include "agent/metric_list.h"
#include "agent/metrics_page.h"
#include "agent/openapi.h"
#include "agent/settings.h"
#include "governance/static_routes/virtual_host.h"

namespace skiff::agent {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

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
  std::set<std::string> documented;
  AgentConfig config;
  for (const SourcedValue& value : reading.values) {
    documented.insert(value.key);
    EXPECT_TRUE(find_setting(value.key)->apply(config, value.values)) << value.key;
  }
  for (const Setting& setting : settings()) {
    EXPECT_TRUE(documented.contains(std::string(setting.key))) << setting.key;
  }
  const AgentConfig defaults;
  EXPECT_EQ(config.api, defaults.api);
  EXPECT_EQ(config.forwarder.hold_time, defaults.forwarder.hold_time);
  EXPECT_EQ(config.forwarder.default_timeout, defaults.forwarder.default_timeout);
  EXPECT_EQ(config.forwarder.connect_timeout, defaults.forwarder.connect_timeout);
  EXPECT_EQ(config.forwarder.heartbeat_interval, defaults.forwarder.heartbeat_interval);
  EXPECT_EQ(config.forwarder.body_limit, defaults.forwarder.body_limit);
  EXPECT_EQ(config.forwarder.outbound.port, defaults.forwarder.outbound.port);
  EXPECT_EQ(config.forwarder.inbound.port, defaults.forwarder.inbound.port);
  EXPECT_EQ(config.forwarder.provider_port, defaults.forwarder.provider_port);
  EXPECT_EQ(config.drain_timeout, defaults.drain_timeout);
  EXPECT_EQ(config.lists.empty_list_time, defaults.lists.empty_list_time);
  EXPECT_EQ(config.lists.vanish_percent, defaults.lists.vanish_percent);
  EXPECT_EQ(config.lists.hold_time, defaults.lists.hold_time);
  EXPECT_EQ(config.lists.check_interval, defaults.lists.check_interval);
  EXPECT_EQ(config.application_discovery, defaults.application_discovery);
  EXPECT_EQ(config.warmup_steps, defaults.warmup_steps);
  EXPECT_EQ(config.application_registration, defaults.application_registration);
  EXPECT_EQ(config.log_level, defaults.log_level);
  EXPECT_EQ(config.access_log_target, defaults.access_log_target);
  EXPECT_EQ(config.forwarder.access_log.mode, defaults.forwarder.access_log.mode);
  EXPECT_EQ(config.forwarder.access_log.sampled, defaults.forwarder.access_log.sampled);
  EXPECT_EQ(config.forwarder.access_log.slow_time, defaults.forwarder.access_log.slow_time);
  EXPECT_EQ(config.forwarder.access_log.format, defaults.forwarder.access_log.format);
  EXPECT_EQ(config.application, defaults.application);
}

TEST(ConfigurationManual, NamesEveryFlagKeyAndVariable) {
  const std::string manual = read("docs/configuration.md");
  for (const Setting& setting : settings()) {
    EXPECT_THAT(manual, HasSubstr("`" + setting.flag() + "`"));
    EXPECT_THAT(manual, HasSubstr("`" + std::string(setting.key) + "`"));
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
