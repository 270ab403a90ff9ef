#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dubbo/result.h"
#include "dubbo/service_key.h"
#include "forwarder/access_log.h"
#include "forwarder/connection_store.h"
#include "forwarder/duration_histogram.h"
#include "forwarder/explanation.h"
#include "forwarder/handover.h"
#include "forwarder/limits.h"
#include "forwarder/outcome.h"
#include "governance/service_route.h"

namespace skiff::forwarder {

// Where a listener binds. "local:20881" listens on every address but serves only peers on this
// machine.
struct ListenAddress {
  std::string host;  // "" for local
  std::uint16_t port = 0;
  bool local_only = false;
};

struct ForwarderConfig {
  ListenAddress outbound{.host = "", .port = 20881, .local_only = true};
  ListenAddress inbound{.host = "0.0.0.0", .port = 20882, .local_only = false};
  std::string provider_host = "127.0.0.1";  // where inbound goes; numeric
  std::uint16_t provider_port = 20880;      // for services that no publication names
  unsigned workers = 1;
  std::string agent_name = {};                 // what other machines may know this agent by
  std::uint32_t body_limit = 8 * 1024 * 1024;  // bytes, of a frame's body
  std::chrono::milliseconds failback_pause = limits::kFailbackPause;  // tests have no time for it
  std::chrono::milliseconds hold_time{
      1000};  // a request for an unknown service waits this long for its providers
  std::chrono::milliseconds default_timeout{3000};  // where neither request nor provider names one
  std::chrono::milliseconds connect_timeout{1000};
  std::chrono::milliseconds heartbeat_interval{
      60000};  // silence after which an upstream connection is asked
  // How long an inbound request may stay without an answer, in general and where its connection has
  // as many of them as may be; counted in whole seconds.
  std::chrono::milliseconds abandoned_time = limits::kAbandonedTime;
  std::chrono::milliseconds abandoned_time_when_full = limits::kAbandonedTimeWhenFull;
  AccessLogConfig access_log = {};
  // Where workers leave the lines of the access log, one for each; must outlive the forwarder.
  // Null: lines go nowhere.
  const LineRings* access_log_rings = nullptr;
  // Keeps consumers' connections for the process after this one; must outlive the forwarder. Null:
  // nobody does.
  ConnectionStore* connection_store = nullptr;
};

// Whether `socket`, which listens, does so where `wanted` says.
Result<void> check_listens_on(const Fd& socket, const ListenAddress& wanted);

// Called on worker threads; must return at once.
class ForwarderObserver {
 public:
  virtual ~ForwarderObserver() = default;
  // A request for an interface without a route arrived; asked once per worker until a route comes
  // or the hold time is over.
  virtual void need_service(const std::string& interface) = 0;
};

// A local provider: inbound requests of this service go to provider_host:port.
struct LocalServicePort {
  dubbo::ServiceKey service;
  std::uint16_t port = 0;
  std::string down = {};  // why it serves nobody: requests are refused with it; empty: it serves
  bool leaving = false;   // it serves, but its consumers are told READONLY
};

// What is under way for local ports.
struct LocalTraffic {
  std::size_t in_flight = 0;
  std::chrono::milliseconds
      quiet_for{};           // since the last request; as much as was asked for, at most
  bool is_complete = false;  // every worker has answered
};

// Requests that have ended.
struct MethodTraffic {
  std::uint64_t requests = 0;
  std::uint64_t failures = 0;  // answered by the agent itself with an error
  std::array<std::uint64_t, kOutcomes.size()> ended{};  // in the order of Outcome
};

// How long the requests of an interface took.
struct ServiceDurations {
  Durations total;     // from reading a request to its answer
  Durations upstream;  // of that, with the provider that was asked last
  Durations own;       // of that, with the agent
};

// Sums over all workers, since start. The names are those of the metrics list, forwarder/metrics.h.
struct TrafficSnapshot {
  std::map<std::string, std::uint64_t> counters;  // metric name without the skiff_ prefix -> value
  std::map<std::string, std::uint64_t> gauges;
  std::map<std::string, std::map<std::string, MethodTraffic>> methods;  // interface -> method
  std::map<std::string, ServiceDurations> durations;                    // by interface
  std::map<std::string, std::string> endpoints;  // "10.0.0.5:20882" -> "connected", "idle",
                                                 // "connecting", "readonly",
                                                 // "failing: <error>", "down: <error>"
};

// The data plane: listeners and workers. All calls may come from any thread but the workers'; they
// post and return.
class Forwarder {
 public:
  // Binds both listeners, but for those of a predecessor, which need not be as many as workers are;
  // connections wait in the kernel until serve(). Fails with kInvalidArgument, also where they
  // listen elsewhere than `config` says, or kUnavailable (address in use, ...). `observer` must
  // outlive it.
  static Result<std::unique_ptr<Forwarder>> open(const ForwarderConfig& config,
                                                 ForwarderObserver& observer,
                                                 CarriedListeners listeners = {});
  // Starts the workers, where start() has not. Before they read the first request they do what was
  // asked for until then: a provider that is known from the start is known to the first request.
  virtual void serve() = 0;
  // Starts the workers alone: they do what is asked for, and accept nothing before serve().
  virtual void start() = 0;

  // --- from one process to its successor (handover.h)
  // Duplicates of the listeners; they go on accepting here. Fails where a worker does not answer.
  virtual Result<CarriedListeners> listeners() = 0;
  // Called on the thread of the worker that has them, which stands still meanwhile. Returns when a
  // successor goes on with them; fails only where it has not touched them, and never will.
  using GiveConnections = std::function<Result<void>(CarriedConnections)>;
  // Stops accepting, and gives away the connections, a few of one worker at a time, with a turn of
  // the worker's loop in between. What is in flight on them is finished here, and those that are
  // left when `limit` is over stay. Fails where `give` does, or where a worker does not come to its
  // turn: then all that were not given stay. resume() or leave_to_successor() must follow.
  virtual Result<HandedOver> hand_over(GiveConnections give, std::chrono::milliseconds limit) = 0;
  // Accepts again.
  virtual void resume() = 0;
  // The successor has the listeners, too, and all that could go over; drain() waits for the rest.
  virtual void leave_to_successor() = 0;
  // Of the successor: goes on with these, shared by all workers.
  virtual void adopt(CarriedConnections connections) = 0;
  // Closes everything at once and joins the workers.
  virtual ~Forwarder() = default;

  virtual std::uint16_t outbound_port() const = 0;  // the real ones, where 0 was asked for
  virtual std::uint16_t inbound_port() const = 0;

  virtual void update_route(std::shared_ptr<const governance::ServiceRoute> route) = 0;
  virtual void remove_route(const std::string& interface) = 0;
  virtual void update_local_services(std::vector<LocalServicePort> services) = 0;

  // Calls `done` once, on a worker's thread, when every worker has done all that was asked of it
  // before; never where the forwarder ends before that.
  virtual void when_applied(std::function<void()> done) = 0;
  // Asks every worker what is under way. `longest`: how long a silence is of interest.
  virtual LocalTraffic local_traffic(const std::vector<std::uint16_t>& ports,
                                     std::chrono::milliseconds longest,
                                     std::chrono::milliseconds deadline) = 0;

  // Asks every worker; what has not answered by `deadline` is left out (and counted as
  // `workers_silent`). Counters of methods are read where workers count; only a part of the
  // endpoints is looked at in one turn of a worker's loop: no request waits for the others.
  virtual TrafficSnapshot snapshot(std::chrono::milliseconds deadline) = 0;

  // How a worker would route this request now; nullopt where it does not answer by `deadline`.
  virtual std::optional<Explanation> explain(ExplainRequest request,
                                             std::chrono::milliseconds deadline) = 0;

  // Stops accepting, sends READONLY on inbound connections, lets what is in flight finish; returns
  // when all is quiet or `limit` is over. True if nothing was cut off.
  virtual bool drain(std::chrono::milliseconds limit) = 0;
};

}  // namespace skiff::forwarder
