#include "agent/status_tables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace skiff::agent {
namespace {

using nlohmann::ordered_json;
using ::testing::HasSubstr;

ordered_json example() {
  return ordered_json::parse(R"({
    "version": "0.1.0", "commit": "abc", "ready": true, "reason": "",
    "registries": [{"name": "zookeeper://10.0.0.9:2181", "connected": false,
                    "detail": "connection refused", "advertised": "10.0.0.5:20882",
                    "advertised_reason": "route to registry leaves from eth0"}],
    "publications": [
      {"interface": "com.example.A", "group": "g", "version": "1.0", "port": 20880, "registry": "memory",
       "state": "pending", "reason": "the registry is away", "url": "dubbo://u",
       "health": "down", "last_error": "refused"},
      {"interface": "com.example.LongerName", "group": "", "version": "", "port": 1, "registry": "memory",
       "state": "registered", "reason": "", "url": "dubbo://v", "health": "up",
       "last_error": "refused"}],
    "subscriptions": [{"interface": "com.example.B", "group": "", "version": "", "state": "subscribed",
       "on_demand": true, "providers": 2, "endpoints": [
         {"address": "10.0.0.6:20882", "weight": 50, "tag": "gray", "connection": "connected"},
         {"address": "10.0.0.7:20882", "weight": 100, "tag": "", "connection": "down: refused"}]}],
    "listeners": [{"name": "outbound", "address": "local:20881"}],
    "traffic": {"counters": {"a_total": 3, "b_total": 0}, "gauges": {"c": 1},
      "methods": [{"interface": "com.example.B", "method": "hi", "requests": 3, "failures": 1}]}
  })");
}

TEST(StatusText, SaysEverythingInAlignedColumns) {
  EXPECT_EQ(
      status_as_text(example()),
      "skiff 0.1.0 (abc): ready\n"
      "\n"
      "Registries\n"
      "  REGISTRY                   STATE                              ADVERTISED\n"
      "  zookeeper://10.0.0.9:2181  NOT CONNECTED: connection refused  10.0.0.5:20882 (route to "
      "registry leaves from eth0)\n"
      "\n"
      "Publications\n"
      "  SERVICE                 PORT   REGISTRY  STATE                          HEALTH            "
      "   "
      "    IN THE REGISTRY AS\n"
      "  g/com.example.A:1.0     20880  memory    pending: the registry is away  down              "
      "   "
      "    dubbo://u\n"
      "  com.example.LongerName  1      memory    registered                     up; last error: "
      "refused  dubbo://v\n"
      "\n"
      "Subscriptions\n"
      "  SERVICE        STATE                   PROVIDERS  ENDPOINTS\n"
      "  com.example.B  subscribed (on demand)  2          10.0.0.6:20882 (weight 50, tag gray, "
      "connected), 10.0.0.7:20882 (weight 100, down: refused)\n"
      "\n"
      "Listeners\n"
      "  FOR       ADDRESS\n"
      "  outbound  local:20881\n"
      "\n"
      "Traffic\n"
      "  SERVICE        METHOD  REQUESTS  FAILURES\n"
      "  com.example.B  hi      3         1\n"
      "\n"
      "Counters\n"
      "  NAME     VALUE\n"
      "  c        1\n"
      "  a_total  3\n"
      "\n"
      "Recent events\n"
      "  none\n");
}

TEST(StatusText, SaysHowFarAWarmUpIs) {
  ordered_json status = example();
  status["publications"][1]["warming_up"] = "weight 50 of 100";
  EXPECT_THAT(status_as_text(status), HasSubstr("registered; warming up: weight 50 of 100 "));
}

TEST(StatusText, OfAnAgentThatIsNotReadySaysWhy) {
  ordered_json status = example();
  status["ready"] = false;
  status["reason"] = "the agent is stopping";
  EXPECT_EQ(status_headline(status), "skiff 0.1.0 (abc): NOT READY: the agent is stopping");
}

TEST(StatusText, CopesWithWhatIsMissing) {
  const std::string text = status_as_text(ordered_json::object());
  EXPECT_THAT(text, HasSubstr("Publications\n  none\n"));
  EXPECT_THAT(text, HasSubstr("Traffic\n  no request yet\n"));
}

TEST(StatusText, CutsLongListsOfEndpoints) {
  ordered_json status = example();
  ordered_json& endpoints = status["subscriptions"][0]["endpoints"];
  while (endpoints.size() < 100) endpoints.push_back(endpoints[0]);
  EXPECT_THAT(status_as_text(status), HasSubstr(", ...\n"));
}

TEST(StatusText, DoesNotLetOthersSteerTheTerminal) {
  ordered_json status = example();
  status["publications"][0]["reason"] =
      "gone\x1b[2J\x07\r\n\xc2\x9b"
      "31m\x7f";
  const std::string text = status_as_text(status);
  EXPECT_THAT(text, HasSubstr("pending: gone?[2J????31m?"));
}

TEST(StatusText, SaysThatStateIsNotStored) {
  ordered_json status = example();
  status["state"] = {{"folder", "/var/lib/skiff"}, {"problem", "no space left"}};
  EXPECT_EQ(status_headline(status), "skiff 0.1.0 (abc): ready; STATE NOT STORED: no space left");
}

TEST(StatusText, SaysThatTheAgentIsDrained) {
  ordered_json status = example();
  status["ready"] = false;
  status["reason"] = "drained";
  status["drained"] = true;
  EXPECT_EQ(status_headline(status),
            "skiff 0.1.0 (abc): NOT READY: drained; DRAINED: publications are kept out of the "
            "registries until skiff undrain");
}

TEST(StatusText, ShowsTheLatestEvents) {
  ordered_json status = example();
  for (int i = 0; i < 15; ++i) {
    status["events"].push_back(
        {{"time", "t"}, {"level", "info"}, {"text", "event " + std::to_string(i)}});
  }
  const std::string text = status_as_text(status);
  EXPECT_THAT(text, HasSubstr("Recent events\n  TIME  LEVEL  WHAT\n  t     info   event 5\n"));
  EXPECT_THAT(text, testing::EndsWith("event 14\n"));
}

}  // namespace
}  // namespace skiff::agent
