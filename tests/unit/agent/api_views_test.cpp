#include "agent/api_views.h"

#include <gmock/gmock.h>

#include "agent/status_report.h"
#include "agent/status_tables.h"
#include "support/api_fixture.h"

namespace skiff::agent {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ApiViews : public ApiFixture {
 protected:
  ApiViews() {
    plane_.registry_list = {
        {.name = "zookeeper://10.0.0.9:2181",
         .connected = false,
         .detail = "connection refused",
         .advertised = {.host = "10.0.0.5", .port = 20882, .reason = "--advertise"}}};
    plane_.services["com.example.Demo"] = {
        .interface = "com.example.Demo",
        .list_in_hand = true,
        .providers = registry::listed(
            {*dubbo::Url::parse("dubbo://10.0.0.5:20882/com.example.Demo?"
                                "dubbo.tag=gray&group=g&interface=com.example.Demo&weight=7"),
             *dubbo::Url::parse("dubbo://10.0.0.6:20882/com.example.Demo")})};
    plane_.subscription_list = {{.service = {"com.example.Demo", "g", ""},
                                 .registry = "zookeeper://10.0.0.9:2181",
                                 .list_in_hand = true,
                                 .on_demand = false,
                                 .providers = 1}};
    backend_.snapshot.endpoints = {{"10.0.0.5:20882", "down: connection refused"}};
    backend_.snapshot.methods["com.example.Demo"]["say<b>\"\n"] = {
        .requests = 5, .failures = 2, .ended = {3, 0, 0, 2}};
    backend_.snapshot.durations["com.example.Demo"].total = {.counts = {0, 0, 0, 1, 4},
                                                             .nanoseconds = 500'000};
    backend_.snapshot.counters["outbound_requests_total"] = 5;
  }

  std::string status_text() {
    return status_as_text(nlohmann::ordered_json::parse(request("GET", "/status").body));
  }
};

TEST_F(ApiViews, PublicationsHaveTheirState) {
  post("/publish", R"({"service":{"interface":"a","group":"g","version":"1","port":5}})");
  const auto list = json(request("GET", "/publications"))["publications"];
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0]["interface"], "a");
  EXPECT_EQ(list[0]["port"], 5);
  EXPECT_EQ(list[0]["state"], "registered");
  EXPECT_EQ(list[0]["url"], "dubbo://10.0.0.5:20882/a");
  EXPECT_EQ(list[0]["health"], "up");
  EXPECT_EQ(list[0]["last_error"], "");
}

TEST_F(ApiViews, PublicationsShowWhatIsStillThere) {
  EXPECT_EQ(json(request("GET", "/publications"))["leaving"], nlohmann::json::array());
  plane_.leaving_urls = {{.registry = "r", .url = "dubbo://a:1/b", .reason = "it is away"}};
  const nlohmann::json expected = {
      {{"registry", "r"}, {"url", "dubbo://a:1/b"}, {"reason", "it is away"}}};
  EXPECT_EQ(json(request("GET", "/publications"))["leaving"], expected);
}

TEST_F(ApiViews, SubscriptionsSayWhyTheirListIsNotTheRegistrys) {
  plane_.subscription_list.front().reason = "cannot read it";
  EXPECT_EQ(json(request("GET", "/subscriptions"))["subscriptions"][0]["reason"], "cannot read it");
}

TEST_F(ApiViews, SubscriptionsListTheProvidersThatMatchThem) {
  const auto list = json(request("GET", "/subscriptions"))["subscriptions"];
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0]["state"], "subscribed");
  EXPECT_EQ(list[0]["providers"], 1);
  ASSERT_EQ(list[0]["endpoints"].size(), 1U);
  const auto& endpoint = list[0]["endpoints"][0];
  EXPECT_EQ(endpoint["address"], "10.0.0.5:20882");
  EXPECT_EQ(endpoint["weight"], 7);
  EXPECT_EQ(endpoint["tag"], "gray");
  EXPECT_EQ(endpoint["connection"], "down: connection refused");
}

TEST_F(ApiViews, AServiceListsAllOfItsProviders) {
  const auto service = json(request("GET", "/services/com.example.Demo"));
  EXPECT_EQ(service["providers"], 2);
  EXPECT_EQ(service["endpoints"][1]["weight"], 100);
  EXPECT_EQ(service["endpoints"][1]["connection"], "unused");
}

TEST_F(ApiViews, AnUnknownServiceIsNotFound) {
  const ApiResponse response = request("GET", "/services/none");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(json(response)["err_no"], 1);
}

TEST_F(ApiViews, ReadinessSaysWhyNot) {
  EXPECT_EQ(request("GET", "/readyz").status, 200);
  EXPECT_EQ(json(request("GET", "/readyz"))["registries"][0]["connected"], false);
  backend_.ready = {.ready = false, .reason = "the agent is stopping"};
  const ApiResponse response = request("GET", "/readyz");
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(json(response)["reason"], "the agent is stopping");
}

TEST_F(ApiViews, HealthNeedsTheControlThread) {
  EXPECT_EQ(request("GET", "/healthz").status, 200);
  control_thread_.stop();
  EXPECT_EQ(request("GET", "/healthz").status, 503);
  EXPECT_EQ(request("GET", "/publications").status, 503);
  EXPECT_EQ(request("GET", "/status").status, 503);
  EXPECT_EQ(request("GET", "/metrics").status, 503);
}

TEST_F(ApiViews, ConfigurationHasNoPasswords) {
  backend_.agent_config.registries = {"zookeeper://me:secret@10.0.0.9:2181"};
  const ApiResponse response = request("GET", "/config");
  EXPECT_THAT(response.body, Not(HasSubstr("secret")));
  EXPECT_EQ(json(response)["registry"][0], "zookeeper://me:***@10.0.0.9:2181");
}

TEST_F(ApiViews, MetricsCountServicesMethodsAndApiRequests) {
  plane_.health = {.passed = 9, .failed = 3, .not_made = 0, .withdrawals = 1, .registrations = 2};
  post("/publish", R"({"service":{"interface":"a"}})");
  request("GET", "/nowhere");
  const ApiResponse response = request("GET", "/metrics");
  EXPECT_THAT(response.content_type, HasSubstr("text/plain"));
  for (const char* line :
       {R"(
skiff_requests_total{interface="com.example.Demo",method="say<b>\"\n",outcome="ok"} 3
)",
        R"(
skiff_requests_total{interface="com.example.Demo",method="say<b>\"\n",outcome="timeout"} 2
)",
        "\nskiff_request_duration_seconds_bucket{interface=\"com.example.Demo\",le=\"0.0001\"} 1\n",
        R"(
skiff_request_duration_seconds_bucket{interface="com.example.Demo",le="0.00025"} 5
)",
        "\nskiff_request_duration_seconds_bucket{interface=\"com.example.Demo\",le=\"+Inf\"} 5\n",
        "\nskiff_request_duration_seconds_sum{interface=\"com.example.Demo\"} 0.0005\n",
        "\nskiff_registry_last_change_timestamp_seconds 1700000000\n",
        "\nskiff_registry_connected{registry=\"zookeeper://10.0.0.9:2181\"} 0\n",
        "\nskiff_publications{state=\"registered\"} 1\n",
        "\nskiff_publication_health{health=\"up\"} 1\n",
        "\nskiff_health_checks_total{result=\"failed\"} 3\n",
        "\nskiff_health_changes_total{to=\"down\"} 1\n",
        "\nskiff_subscriptions{state=\"subscribed\",origin=\"api\"} 1\n",
        "\nskiff_subscription_providers 1\n",
        "\nskiff_api_requests_total{route=\"POST /publish\",code=\"200\"} 1\n",
        "\nskiff_api_requests_total{route=\"other\",code=\"404\"} 1\n",
        "\nskiff_endpoints{state=\"down\"} 1\n",
        "\nskiff_outbound_requests_total 5\n",
        "\nskiff_workers_silent 0\n",
        "\nskiff_ready 1\n",
        "\n# TYPE skiff_outbound_requests_total counter\n"}) {
    EXPECT_THAT(response.body, HasSubstr(line));
  }
}

TEST_F(ApiViews, MetricsTellOfListsThatAreNotFollowed) {
  plane_.figures.is_frozen = true;
  plane_.figures.waiting_lists = 2;
  plane_.figures.stale_lists = 3;
  plane_.figures.kept_providers = 4;
  plane_.figures.lists_applied = 5;
  plane_.figures.probes = {6, 7, 8, 9};
  plane_.figures.lost_nodes = 10;
  plane_.figures.lost_sessions = 11;
  plane_.figures.waiting_writes = 12;
  backend_.updates.counts[0] = 2;
  backend_.updates.counts.back() = 1;
  backend_.updates.seconds = 11.5;
  const ApiResponse response = request("GET", "/metrics");
  for (const char* line :
       {"\nskiff_lists_frozen 1\n", "\nskiff_lists_waiting 2\n", "\nskiff_lists_stale 3\n",
        "\nskiff_providers_held 4\n", "\nskiff_lists_applied_total 5\n",
        "\nskiff_endpoint_probes_total{result=\"gone\"} 7\n",
        "\nskiff_registry_lost_nodes_total 10\n", "\nskiff_registry_lost_sessions_total 11\n",
        "\nskiff_registry_waiting_writes 12\n", "\n# TYPE skiff_route_update_seconds histogram\n",
        "\nskiff_route_update_seconds_bucket{le=\"0.001\"} 2\n",
        "\nskiff_route_update_seconds_bucket{le=\"+Inf\"} 3\n",
        "\nskiff_route_update_seconds_count 3\n", "\nskiff_route_update_seconds_sum 11.5\n"}) {
    EXPECT_THAT(response.body, HasSubstr(line));
  }
}

TEST_F(ApiViews, FreezingIsShownWhereverOneLooks) {
  EXPECT_EQ(json(post("/freeze", ""))["state"], "frozen");
  EXPECT_EQ(json(post("/freeze", "")), json(post("/freeze", ""))) << "not idempotent";
  EXPECT_EQ(request("GET", "/readyz").status, 200);
  EXPECT_EQ(json(request("GET", "/readyz"))["lists"]["frozen"], true);
  EXPECT_EQ(json(request("GET", "/status"))["lists"]["frozen"], true);
  EXPECT_THAT(status_text(), HasSubstr("FROZEN"));
  EXPECT_EQ(json(post("/unfreeze", ""))["state"], "following");
  EXPECT_EQ(json(request("GET", "/readyz"))["lists"]["frozen"], false);
  EXPECT_EQ(request("GET", "/freeze").status, 405);
}

TEST_F(ApiViews, MarkStaleListsAndHeldProviders) {
  auto& service = plane_.services["com.example.Demo"];
  service.is_stale = true;
  service.kept = {service.providers[0]};
  const auto shown = json(request("GET", "/services/com.example.Demo"));
  EXPECT_EQ(shown["stale"], true);
  EXPECT_EQ(shown["endpoints"][0]["held"], true);
  EXPECT_EQ(shown["endpoints"][1]["held"], false);
  const auto subscriptions = json(request("GET", "/subscriptions"))["subscriptions"];
  EXPECT_EQ(subscriptions[0]["stale"], true);
  EXPECT_THAT(std::string(subscriptions[0]["reason"]),
              HasSubstr("no provider is registered any more"));
  EXPECT_EQ(subscriptions[0]["endpoints"][0]["held"], true);
  EXPECT_THAT(status_text(), HasSubstr("STALE"));
  EXPECT_THAT(status_text(), HasSubstr("HELD"));
}

TEST_F(ApiViews, ListNoMoreProvidersThanAReaderTakes) {
  const dubbo::Url url = *dubbo::Url::parse("dubbo://10.0.0.1:20880/a?version=1.0.0");
  const std::size_t services = kMaxListedInAll / kMaxListedProviders + 2;
  for (std::size_t i = 0; i < services; ++i) {
    const std::string name = "com.example.Many" + std::to_string(i);
    registry::ServiceStatus& service = plane_.services[name];
    service.interface = name;
    service.providers.assign(kMaxListedProviders + 1, registry::ListedProvider(url));
    plane_.subscription_list.push_back({.service = {name, "", "1.0.0"}, .registry = "memory"});
  }
  EXPECT_EQ(json(request("GET", "/services/com.example.Many0"))["endpoints"].size(),
            kMaxListedProviders);
  std::size_t listed = 0;
  const auto document = json(request("GET", "/subscriptions"));
  for (const auto& one : document["subscriptions"]) {
    listed += one["endpoints"].size();
  }
  EXPECT_EQ(listed, kMaxListedInAll);
}

TEST_F(ApiViews, ThePageIsAFileThatHoldsNothingOfOthers) {
  const ApiResponse page = request("GET", "/");
  EXPECT_THAT(page.content_type, HasSubstr("text/html"));
  EXPECT_THAT(page.body, HasSubstr("<script type=\"module\" src=\"page/main.mjs\">"));
  control_thread_.stop();
  EXPECT_EQ(request("GET", "/").status, 200) << "it is to say that the agent does not answer";
}

TEST_F(ApiViews, StatusHasItAll) {
  const auto status = json(request("GET", "/status"));
  EXPECT_EQ(status["ready"], true);
  EXPECT_EQ(status["registries"][0]["advertised"], "10.0.0.5:20882");
  EXPECT_EQ(status["registries"][0]["advertised_reason"], "--advertise");
  EXPECT_EQ(status["listeners"][0]["address"], "0.0.0.0:20882");
  EXPECT_EQ(status["traffic"]["methods"][0]["requests"], 5);
  EXPECT_EQ(status["subscriptions"].size(), 1U);
}

}  // namespace
}  // namespace skiff::agent
