// From a request's interface to its provider and its slot.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "dubbo/check.h"
#include "forwarder/outbound/outbound.h"
#include "tests/bench/pieces/measure.h"
#include "tests/bench/pieces/service_names.h"

namespace skiff::bench {
namespace {

using forwarder::Endpoint;
using forwarder::Slot;

constexpr std::size_t kServices = 10'000;
constexpr std::size_t kProviders = 10;  // of each service
constexpr std::size_t kHosts = 200;
constexpr std::size_t kInFlight = 64;
constexpr std::chrono::milliseconds kTimeout{3000};

// The parts of a worker without its threads and sockets.
struct IdleWorker {
  struct NoObserver : forwarder::ForwarderObserver {
    void need_service(const std::string& /*interface*/) override {}
  };

  forwarder::ForwarderConfig config;
  NoObserver observer;
  std::unique_ptr<forwarder::EventLoop> loop = std::move(*forwarder::EventLoop::create());
  forwarder::MetricInterfaces interfaces;
  forwarder::WorkerContext context{config, observer, *loop, interfaces, 1};
  forwarder::Outbound outbound{context};
};

std::vector<governance::ProviderEndpoint> providers(std::size_t service) {
  std::vector<governance::ProviderEndpoint> all(kProviders);
  for (std::size_t i = 0; i < kProviders; ++i) {
    all[i].host = "10.0.0." + std::to_string((service * kProviders + i) % kHosts + 1);
    all[i].port = 20880;
    all[i].weight = i % 2 == 0 ? 100 : 200;
  }
  return all;
}

std::shared_ptr<const governance::ServiceRoute> route_of(const std::string& interface,
                                                         std::size_t service) {
  governance::ServiceRoute route;
  route.interface = interface;
  route.clusters.push_back({"", "1.0.0", providers(service)});
  return std::make_shared<const governance::ServiceRoute>(std::move(route));
}

// Where each name's text lies in `texts`, in random order. The texts lie in this order, too: what
// is looked up has just been read from a connection, so it is in the cache, which the table is not.
struct Requested {
  explicit Requested(std::vector<std::string> names) {
    std::shuffle(names.begin(), names.end(), std::mt19937(2));
    for (const std::string& name : names) texts += name;
    const char* at = texts.data();
    for (const std::string& name : names) {
      interfaces.emplace_back(at, name.size());
      at += name.size();
    }
  }
  std::string texts;
  std::vector<std::string_view> interfaces;
};

void find_route(benchmark::State& state) {
  IdleWorker worker;
  forwarder::UpstreamPool upstreams(worker.context, worker.outbound);
  forwarder::RouteTable routes(upstreams, worker.context.traffic);
  const std::vector<std::string> names = service_names(kServices);
  for (std::size_t i = 0; i < names.size(); ++i) routes.update(route_of(names[i], i));
  const Requested requested(names);
  measure(state, kServices, [&] {
    for (const std::string_view interface : requested.interfaces) {
      const forwarder::ServiceEntry* service = routes.find(interface);
      check(service != nullptr, "a service of the benchmark's own has no route");
      benchmark::DoNotOptimize(service);
    }
  });
}
BENCHMARK(find_route)->Name("route lookup among 10,000 services, random order");

void pick_provider(benchmark::State& state) {
  IdleWorker worker;
  const std::vector<governance::ProviderEndpoint> specs = providers(0);
  forwarder::UpstreamPool upstreams(worker.context, worker.outbound);
  std::vector<Endpoint*> endpoints;
  for (const auto& spec : specs) endpoints.push_back(&upstreams.acquire(spec.host, spec.port));
  std::vector<std::uint32_t> members(specs.size());
  std::iota(members.begin(), members.end(), 0U);
  const auto balancer = forwarder::make_balancer({}, specs, endpoints, members);
  const forwarder::TimePoint now = worker.loop->now();
  measure(state, 1, [&] {
    const auto picked = balancer->pick(
        {.now = now, .random = worker.context.random},
        [&](std::size_t i) { return endpoints[i]->fitness(now) == Endpoint::Fitness::kGood; });
    check(picked.has_value(), "no provider of the benchmark's own is good");
    benchmark::DoNotOptimize(*picked);
  });
}
BENCHMARK(pick_provider)->Name("balancer, one of 10 providers of two weights");

// The oldest of 64 requests is answered, and another one takes its slot.
void take_and_return_slot(benchmark::State& state) {
  IdleWorker worker;
  forwarder::SlotTable slots(
      worker.outbound, [](void*) {}, kInFlight);
  // Any address will do as the mark of a slot in use: it is never followed.
  static int place = 0;
  auto* const somewhere = reinterpret_cast<forwarder::UpstreamConnection*>(&place);
  const auto take = [&] {
    Slot* slot = slots.take();
    slot->upstream = somewhere;
    worker.loop->arm(slot->deadline, kTimeout);
    return slot->wire_id();
  };
  std::vector<std::uint64_t> wire_ids(kInFlight);
  std::generate(wire_ids.begin(), wire_ids.end(), take);
  std::size_t oldest = 0;
  measure(state, 1, [&] {
    Slot* answered = slots.find(wire_ids[oldest]);
    check(answered != nullptr, "a slot in use is not found");
    slots.give_back(*answered);
    wire_ids[oldest] = take();
    oldest = (oldest + 1) % kInFlight;
  });
}
BENCHMARK(take_and_return_slot)->Name("slot with deadline, taken, found and given back");

}  // namespace
}  // namespace skiff::bench
