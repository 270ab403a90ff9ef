#include "forwarder/forwarder.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <string_view>
#include <utility>

#include "forwarder/metrics.h"
#include "forwarder/socket.h"
#include "forwarder/worker.h"

namespace skiff::forwarder {
namespace {

using std::chrono::milliseconds;

// One address, listened on by every worker.
struct SharedPort {
  std::vector<Fd> sockets;
  std::uint16_t port = 0;
};

Result<SharedPort> listen_for_all(const SocketAddress& address, const std::string& host,
                                  bool dual_stack, unsigned workers) {
  if (Result<void> free = check_port_is_free(address, dual_stack); !free) {
    return tl::unexpected(free.error());
  }
  SharedPort shared;
  SocketAddress next = address;
  for (unsigned i = 0; i < workers; ++i) {
    Result<Fd> fd = listen_on(next, dual_stack);
    if (!fd) return tl::unexpected(fd.error());
    if (i == 0) {  // the others join the port that the first one was given
      shared.port = SocketAddress::local_of(fd->get()).port();
      next = dual_stack ? SocketAddress::any_v6(shared.port)
                        : *SocketAddress::parse(host, shared.port);
    }
    shared.sockets.push_back(std::move(*fd));
  }
  return shared;
}

Result<SharedPort> open_port(const ListenAddress& listen, unsigned workers,
                             std::vector<Fd> inherited) {
  if (!inherited.empty()) {
    if (Result<void> is_there = check_listens_on(inherited.front(), listen); !is_there) {
      return tl::unexpected(is_there.error());
    }
    const std::uint16_t port = SocketAddress::local_of(inherited.front().get()).port();
    return SharedPort{.sockets = std::move(inherited), .port = port};
  }
  const bool every_address = listen.local_only || listen.host == "::";
  if (every_address) {
    Result<SharedPort> shared =
        listen_for_all(SocketAddress::any_v6(listen.port), "::", true, workers);
    // Without IPv6 in the kernel the IPv4 wildcard says the same.
    if (shared || Fd(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0)).valid()) return shared;
  }
  const std::string host = every_address ? "0.0.0.0" : listen.host;
  const Result<SocketAddress> address = SocketAddress::parse(host, listen.port);
  if (!address) return tl::unexpected(address.error());
  return listen_for_all(*address, host, false, workers);
}

// Which description of an endpoint says more, where workers differ.
int interest_of(std::string_view description) {
  static constexpr std::array<std::string_view, 6> kOrder{"idle",     "connecting", "down",
                                                          "readonly", "connected",  "failing"};
  const auto found = std::ranges::find_if(
      kOrder, [&](std::string_view word) { return description.starts_with(word); });
  return static_cast<int>(found - kOrder.begin());
}

// Whether the figure of all workers is the largest of theirs; it is their sum otherwise.
bool is_maximum(Gauge gauge) {
  return gauge == Gauge::kRoutes || gauge == Gauge::kOutboundOpenMost ||
         gauge == Gauge::kInboundOpenMost;
}

void add_to(TrafficSnapshot& sum, const WorkerSnapshot& worker) {
  for (std::size_t i = 0; i < counter_infos().size(); ++i) {
    sum.counters[std::string(counter_infos()[i].name)] += worker.counters[static_cast<Counter>(i)];
  }
  for (std::size_t i = 0; i < gauge_infos().size(); ++i) {
    std::uint64_t& gauge = sum.gauges[std::string(gauge_infos()[i].name)];
    gauge = is_maximum(static_cast<Gauge>(i)) ? std::max(gauge, worker.gauges[i])
                                              : gauge + worker.gauges[i];
  }
}

void add_to(TrafficSnapshot& sum, const TrafficTable& traffic) {
  traffic.for_each([&](const ServiceCells& service) {
    auto& methods = sum.methods[service.interface];
    TrafficTable::for_each_method(service, [&](const MethodCells& method) {
      MethodTraffic& total = methods[method.name];
      for (std::size_t i = 0; i < method.ended.size(); ++i) {
        const std::uint64_t ended = method.ended[i].value();
        total.ended[i] += ended;
        total.requests += ended;
        if (is_failure_of_agent(static_cast<Outcome>(i))) total.failures += ended;
      }
    });
    ServiceDurations& durations = sum.durations[service.interface];
    service.total.add_to(durations.total);
    service.upstream.add_to(durations.upstream);
    service.own.add_to(durations.own);
  });
}

std::uint64_t& gauge_of(TrafficSnapshot& sum, Gauge gauge) {
  return sum.gauges[std::string(gauge_infos()[static_cast<std::size_t>(gauge)].name)];
}

// What is collected from workers, or waited for; kept alive by those that answer late.
struct Gathering {
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t answered = 0;  // guarded by mutex
  TrafficSnapshot sum;       // guarded by mutex
  LocalTraffic local;        // guarded by mutex
};

struct EndpointLook {
  EndpointCursor cursor;
  std::map<std::string, std::string> described;  // by address
};

// Looks at a worker's endpoints, some in each turn of its loop; the worker has answered then.
void gather_endpoints(Worker& worker, const std::shared_ptr<Gathering>& gathering,
                      const std::shared_ptr<EndpointLook>& look) {
  if (worker.describe_endpoints(look->cursor, look->described)) {
    return worker.post([gathering, look](Worker& w) { gather_endpoints(w, gathering, look); });
  }
  const std::lock_guard lock(gathering->mutex);
  for (const auto& [address, description] : look->described) {
    std::string& shown = gathering->sum.endpoints[address];
    if (shown.empty() || interest_of(description) > interest_of(shown)) shown = description;
  }
  gauge_of(gathering->sum, Gauge::kUpstreamEjected) += look->cursor.ejected;
  ++gathering->answered;
  gathering->changed.notify_one();
}

ForwarderConfig with_a_worker(ForwarderConfig config) {
  config.workers = std::max(config.workers, 1U);
  return config;
}

// How long workers may take to say where they listen.
constexpr milliseconds kListenersTime{1000};

class WorkerForwarder final : public Forwarder {
 public:
  explicit WorkerForwarder(ForwarderConfig config)
      : config_(std::move(config)), group_(config_.workers) {}

  Result<void> open_ports(ForwarderObserver& observer, CarriedListeners inherited) {
    Result<SharedPort> outbound =
        open_port(config_.outbound, config_.workers, std::move(inherited.outbound));
    if (!outbound) return fail_listen("--outbound", outbound.error());
    Result<SharedPort> inbound =
        open_port(config_.inbound, config_.workers, std::move(inherited.inbound));
    if (!inbound) return fail_listen("--inbound", inbound.error());
    outbound_port_ = outbound->port;
    inbound_port_ = inbound->port;
    return make_workers(observer, {.outbound = std::move(outbound->sockets),
                                   .inbound = std::move(inbound->sockets)});
  }

  void start() override {
    if (std::exchange(is_started_, true)) return;
    for (const auto& worker : group_.workers) worker->run();
  }

  void serve() override {
    for (const auto& worker : group_.workers) {
      worker->post([](Worker& w) { w.listen_or_log(); });
    }
    start();
  }

  Result<CarriedListeners> listeners() override {
    const auto asking = std::make_shared<Asking>();
    const auto add = [](Worker& worker, CarriedListeners& all) { worker.duplicate_listeners(all); };
    if (!ask_all(asking, kListenersTime, add)) {
      return fail(ErrorCode::kTimeout, "a worker does not say where it listens");
    }
    const std::lock_guard lock(asking->mutex);
    return std::move(asking->listeners);
  }

  // A connection that one worker has accepted may be on its way to another: it is there before a
  // task that is posted when all have paused.
  Result<HandedOver> hand_over(GiveConnections give, milliseconds limit) override {
    const auto until = std::chrono::steady_clock::now() + limit;
    const auto pause = [](Worker& worker, CarriedListeners&) { worker.pause_listening(); };
    if (!ask_all(std::make_shared<Asking>(), limit, pause)) return fail_turn();
    HandedOver all;
    for (const auto& worker : group_.workers) {
      while (std::chrono::steady_clock::now() < until) {
        auto some = hand_over_some(*worker, give, until);
        if (!some) return some;
        if (some->consumers + some->inbound == 0) break;
        all.consumers += some->consumers;
        all.inbound += some->inbound;
      }
    }
    return all;
  }

  void resume() override {
    for (const auto& worker : group_.workers) worker->post([](Worker& w) { w.listen_or_log(); });
  }

  void leave_to_successor() override {
    for (const auto& worker : group_.workers) {
      worker->post([](Worker& w) { w.leave_to_successor(); });
    }
  }

  void adopt(CarriedConnections connections) override {
    for (CarriedConsumer& one : connections.consumers) {
      adopt_one(group_.outbound_connections, std::move(one));
    }
    for (CarriedInbound& one : connections.inbound) {
      adopt_one(group_.inbound_connections, std::move(one));
    }
  }

  std::uint16_t outbound_port() const override { return outbound_port_; }
  std::uint16_t inbound_port() const override { return inbound_port_; }

  void update_route(std::shared_ptr<const governance::ServiceRoute> route) override {
    for (const auto& worker : group_.workers) {
      worker->post([route](Worker& w) { w.outbound().update_route(route); });
    }
  }

  void remove_route(const std::string& interface) override {
    for (const auto& worker : group_.workers) {
      worker->post([interface](Worker& w) { w.outbound().remove_route(interface); });
    }
  }

  void update_local_services(std::vector<LocalServicePort> services) override {
    const auto shared = std::make_shared<const std::vector<LocalServicePort>>(std::move(services));
    for (const auto& worker : group_.workers) {
      worker->post([shared](Worker& w) { w.inbound().update_services(*shared); });
    }
  }

  // Tasks of a worker run in order; the last worker to come to its task calls.
  void when_applied(std::function<void()> done) override {
    const auto missing = std::make_shared<std::atomic<std::size_t>>(group_.workers.size());
    const auto shared = std::make_shared<const std::function<void()>>(std::move(done));
    for (const auto& worker : group_.workers) {
      worker->post([missing, shared](Worker&) {
        if (missing->fetch_sub(1) == 1) (*shared)();
      });
    }
  }

  TrafficSnapshot snapshot(milliseconds deadline) override {
    const auto gathering = std::make_shared<Gathering>();
    for (const auto& worker : group_.workers) {
      worker->post([gathering](Worker& w) {
        const WorkerSnapshot taken = w.snapshot();
        {
          const std::lock_guard lock(gathering->mutex);
          add_to(gathering->sum, taken);
        }
        gather_endpoints(w, gathering, std::make_shared<EndpointLook>());
      });
    }
    std::unique_lock lock(gathering->mutex);
    wait_for_all(*gathering, lock, deadline);
    TrafficSnapshot sum = gathering->sum;
    const std::size_t silent = group_.workers.size() - gathering->answered;
    lock.unlock();
    gauge_of(sum, Gauge::kWorkersSilent) = silent;
    gauge_of(sum, Gauge::kMetricInterfaces) = group_.metric_interfaces.size();
    gauge_of(sum, Gauge::kMetricInterfacesLimit) = limits::kMetricInterfacesMax;
    for (const auto& worker : group_.workers) add_to(sum, worker->traffic());
    return sum;
  }

  LocalTraffic local_traffic(const std::vector<std::uint16_t>& ports, milliseconds longest,
                             milliseconds deadline) override {
    const auto gathering = std::make_shared<Gathering>();
    gathering->local.quiet_for = longest;
    for (const auto& worker : group_.workers) {
      worker->post([gathering, ports](Worker& w) {
        const std::lock_guard lock(gathering->mutex);
        w.inbound().add_traffic_of(ports, gathering->local);
        ++gathering->answered;
        gathering->changed.notify_one();
      });
    }
    std::unique_lock lock(gathering->mutex);
    gathering->local.is_complete = wait_for_all(*gathering, lock, deadline);
    return gathering->local;
  }

  // All workers have the same routes; what they have seen of providers may differ.
  std::optional<Explanation> explain(ExplainRequest request, milliseconds deadline) override {
    const auto answer = std::make_shared<std::promise<Explanation>>();
    std::future<Explanation> explained = answer->get_future();
    group_.workers.front()->post([answer, request = std::move(request)](Worker& w) {
      answer->set_value(w.outbound().explain(request));
    });
    if (explained.wait_for(deadline) != std::future_status::ready) return std::nullopt;
    return explained.get();
  }

  bool drain(milliseconds limit) override {
    const auto gathering = std::make_shared<Gathering>();
    group_.outbound_connections.stop_handing_over();
    group_.inbound_connections.stop_handing_over();
    for (const auto& worker : group_.workers) {
      worker->post([gathering](Worker& w) {
        w.drain([gathering] {
          const std::lock_guard lock(gathering->mutex);
          ++gathering->answered;
          gathering->changed.notify_one();
        });
      });
    }
    std::unique_lock lock(gathering->mutex);
    return wait_for_all(*gathering, lock, limit);
  }

 private:
  static tl::unexpected<Error> fail_listen(const std::string& flag, const Error& error) {
    return fail(error.code, flag + ": cannot listen on " + error.message);
  }

  // What workers say of themselves on the way to a successor.
  struct Asking {
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t answered = 0;    // guarded by mutex
    CarriedListeners listeners;  // guarded by mutex
  };
  using Ask = void (*)(Worker&, CarriedListeners&);

  // Whether all workers have answered in time.
  bool ask_all(const std::shared_ptr<Asking>& asking, milliseconds limit, Ask ask) {
    std::unique_lock lock(asking->mutex);
    for (const auto& worker : group_.workers) {
      worker->post([asking, ask](Worker& w) {
        const std::lock_guard worker_lock(asking->mutex);
        ask(w, asking->listeners);
        ++asking->answered;
        asking->changed.notify_one();
      });
    }
    return asking->changed.wait_for(lock, limit,
                                    [&] { return asking->answered == group_.workers.size(); });
  }

  // A worker's turn to give connections away.
  struct Turn {
    std::mutex mutex;  // held while it gives
    std::condition_variable changed;
    std::optional<Result<HandedOver>> given;  // guarded by mutex
    bool is_called_off = false;               // guarded by mutex
  };

  static Result<HandedOver> hand_over_some(Worker& worker, const GiveConnections& give,
                                           std::chrono::steady_clock::time_point until) {
    const auto turn = std::make_shared<Turn>();
    std::unique_lock lock(turn->mutex);
    worker.post([turn, &give](Worker& w) {
      const std::lock_guard worker_lock(turn->mutex);
      if (turn->is_called_off) return;
      turn->given = w.hand_over_some(give);
      turn->changed.notify_one();
    });
    // One that has begun is waited for, since it holds the mutex.
    turn->is_called_off =
        !turn->changed.wait_until(lock, until, [&] { return turn->given.has_value(); });
    if (turn->is_called_off) return fail_turn();
    return std::move(*turn->given);
  }

  static tl::unexpected<Error> fail_turn() {
    return fail(ErrorCode::kTimeout, "a worker does not come to giving its connections away");
  }

  template <typename Carried>
  void adopt_one(ConnectionCounts& counts, Carried carried) {
    auto place = counts.place(adopted_++ % group_.workers.size());
    // Shared only since a task must be copyable.
    const auto shared = std::make_shared<std::pair<Carried, ConnectionTicket>>(
        std::move(carried), std::move(place.ticket));
    group_.workers[place.worker]->post(
        [shared](Worker& w) { w.adopt(std::move(shared->first), std::move(shared->second)); });
  }

  // Each worker has its part of the listeners, in turn; all listen where the first one does.
  Result<void> make_workers(ForwarderObserver& observer, CarriedListeners listeners) {
    for (unsigned i = 0; i < config_.workers; ++i) {
      auto worker = Worker::create(config_, observer, group_, i,
                                   {.outbound = every_nth(listeners.outbound, i),
                                    .inbound = every_nth(listeners.inbound, i)});
      if (!worker) return tl::unexpected(worker.error());
      group_.workers.push_back(std::move(*worker));
    }
    return {};
  }

  std::vector<Fd> every_nth(std::vector<Fd>& all, unsigned first) const {
    std::vector<Fd> part;
    for (std::size_t i = first; i < all.size(); i += config_.workers) {
      part.push_back(std::move(all[i]));
    }
    return part;
  }

  bool wait_for_all(Gathering& gathering, std::unique_lock<std::mutex>& lock, milliseconds limit) {
    return gathering.changed.wait_for(lock, limit,
                                      [&] { return gathering.answered == group_.workers.size(); });
  }

  ForwarderConfig config_;
  std::uint16_t outbound_port_ = 0;
  std::uint16_t inbound_port_ = 0;
  WorkerGroup group_;
  bool is_started_ = false;
  std::size_t adopted_ = 0;
};

}  // namespace

Result<void> check_listens_on(const Fd& socket, const ListenAddress& wanted) {
  const SocketAddress is = SocketAddress::local_of(socket.get());
  const bool every_address = wanted.local_only || wanted.host == "::";
  const auto there = every_address ? Result<SocketAddress>(SocketAddress::any_v6(is.port()))
                                   : SocketAddress::parse(wanted.host, is.port());
  if (!there) return tl::unexpected(there.error());
  const auto any_v4 = SocketAddress::parse("0.0.0.0", is.port());
  const bool is_there = is.same_host(*there) || (every_address && is.same_host(*any_v4));
  if (is_there && (wanted.port == 0 || wanted.port == is.port())) return {};
  return fail(ErrorCode::kInvalidArgument, (every_address ? "every address" : wanted.host) +
                                               ", port " + std::to_string(wanted.port) +
                                               ": what was handed over listens on " +
                                               is.to_string());
}

Result<std::unique_ptr<Forwarder>> Forwarder::open(const ForwarderConfig& config,
                                                   ForwarderObserver& observer,
                                                   CarriedListeners listeners) {
  auto forwarder = std::make_unique<WorkerForwarder>(with_a_worker(config));
  if (Result<void> opened = forwarder->open_ports(observer, std::move(listeners)); !opened) {
    return tl::unexpected(opened.error());
  }
  return forwarder;
}

}  // namespace skiff::forwarder
