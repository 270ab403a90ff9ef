// What rules cost a request: the way from its attachments to a balancer.

#include <memory>
#include <string>
#include <vector>

#include "dubbo/check.h"
#include "forwarder/outbound/cluster_routing.h"
#include "forwarder/outbound/endpoint.h"
#include "governance/router_rules.h"
#include "tests/bench/pieces/measure.h"

namespace skiff::bench {
namespace {

constexpr std::size_t kProviders = 10;
constexpr std::size_t kValues = 64;  // of the attachment that differs from request to request

// As the target 20881-rules of the bench has them (tests/bench/rules.js): of ten, one is passed,
// four are about another value of the same attachment, five about other methods.
std::string condition(std::size_t i) {
  const std::string number = std::to_string(i);
  if (i % 10 == 0) return "method=echo & attachments[remote.application]=bench => host=10.0.0.*";
  if (i % 10 < 5) {
    return "method=ech* & attachments[remote.application]=other-" + number + " => host=10." +
           number + ".*";
  }
  return "method=find" + number + ",list" + number + " => host=10." + number + ".*";
}

// A cluster with some of these rules, and what a worker makes of it.
struct RuledCluster {
  explicit RuledCluster(std::size_t rules) {
    std::vector<dubbo::Url> urls;
    for (std::size_t i = 0; i < kProviders; ++i) {
      urls.push_back(
          *dubbo::Url::parse("dubbo://10.0.0." + std::to_string(i + 1) + ":20880/a.Demo"));
      endpoints.push_back(std::make_unique<forwarder::Endpoint>(
          urls.back().host, forwarder::SocketAddress::parse("127.0.0.1", 1)));
      endpoint_pointers.push_back(endpoints.back().get());
    }
    std::string document = "force: true\nconditions:\n";
    for (std::size_t i = 0; i < rules; ++i) document += "  - \"" + condition(i) + "\"\n";
    if (rules == 0) document += "  - \"method=find => host=10.*\"\n";
    const auto rule = governance::parse_condition_rule("a.Demo::.condition-router", document);
    check(rule && *rule != nullptr, "a rule of the benchmark's own cannot be read");
    const dubbo::ConsumerIdentity consumer;
    cluster.providers.resize(kProviders);
    (*rule)->compile({.interface = "a.Demo",
                      .group = "",
                      .version = "",
                      .providers = urls,
                      .consumer = consumer},
                     cluster.routers);
    routing = std::make_unique<forwarder::ClusterRouting>(cluster, endpoint_pointers);
  }

  std::vector<std::unique_ptr<forwarder::Endpoint>> endpoints;
  std::vector<forwarder::Endpoint*> endpoint_pointers;
  governance::Cluster cluster;
  std::unique_ptr<forwarder::ClusterRouting> routing;
};

struct NoDraw final : governance::Draw {
  std::size_t choose(std::span<const std::uint32_t> /*weights*/) override { return 0; }
};

void route(benchmark::State& state, std::size_t rules) {
  const RuledCluster ruled(rules);
  std::vector<std::string> users;
  for (std::size_t i = 0; i < kValues; ++i) users.push_back("user-" + std::to_string(i));
  NoDraw draw;
  measure(state, kValues, [&] {
    for (const std::string& user : users) {
      dubbo::Attachments attachments;
      attachments.add("path", "a.Demo");
      attachments.add("remote.application", "bench");
      attachments.add("interface", "a.Demo");
      attachments.add("version", "1.0.0");
      attachments.add("timeout", "3000");
      attachments.add("user", user);
      const forwarder::RouteChoice choice = ruled.routing->choose(
          {.method = "echo", .attachments = &attachments, .arguments = nullptr}, draw);
      check(choice.providers != nullptr && choice.providers->count() == kProviders,
            "a request of the benchmark's own is not routed to all");
      benchmark::DoNotOptimize(choice.balancer);
    }
  });
}
void route_without_rules(benchmark::State& state) { route(state, 0); }
BENCHMARK(route_without_rules)->Name("route of a request that no rule concerns");
void route_by_100_rules(benchmark::State& state) { route(state, 100); }
BENCHMARK(route_by_100_rules)->Name("route by 100 rules, of which a request passes 10");
void route_by_1000_rules(benchmark::State& state) { route(state, 1000); }
BENCHMARK(route_by_1000_rules)->Name("route by 1000 rules, of which a request passes 100");

}  // namespace
}  // namespace skiff::bench
