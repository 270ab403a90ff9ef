#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "agent/access_log_writer.h"
#include "agent/api.h"
#include "agent/config.h"
#include "agent/control_client.h"
#include "agent/descriptor_store.h"
#include "agent/handover.h"
#include "agent/http_server.h"
#include "agent/inherited_descriptors.h"
#include "agent/latency_histogram.h"
#include "agent/route_book.h"
#include "agent/route_compiler.h"
#include "agent/state_keeper.h"
#include "dubbo/result.h"
#include "forwarder/forwarder.h"
#include "registry/control_plane.h"
#include "registry/control_thread.h"

namespace skiff::agent {

class LongestPause;
class Predecessor;
class Successor;

// The whole agent: what the registries say goes through governance into the data plane, what users
// ask goes through the API into the control plane. Public calls come from one thread, its owner's.
class Agent final : private registry::ControlPlaneSink,
                    private forwarder::ForwarderObserver,
                    private ApiBackend {
 public:
  // Starts everything. Fails with a sentence where something cannot be started; nothing is left
  // running then.
  static Result<std::unique_ptr<Agent>> start(AgentConfig config, FileRoutes file_routes = {},
                                              InheritedDescriptors inherited = {});
  // The same, going on with all that another process has. Where it fails that process goes on.
  static Result<std::unique_ptr<Agent>> take_over(Predecessor& predecessor, AgentConfig config,
                                                  FileRoutes file_routes);
  // Stops at once what stop() has not stopped.
  ~Agent() override;

  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  // Whether all is up, and registries had their chance: it stays so until the agent stops.
  Readiness startup();
  // Whether traffic may be sent here. Any thread may ask.
  Readiness readiness() override;
  // Whether the machine is taken out of service. Any thread may ask.
  bool is_drained();
  // True where the control thread answers.
  bool is_alive();
  // With real ports.
  std::vector<ListenerInfo> listeners() override;
  // Writes a line about each registry: its connection, the advertised address and why.
  void log_registries();

  // Takes the static routes that the configuration file has now, all or, with a sentence, none;
  // returns whether they differ.
  Result<bool> set_file_routes(FileRoutes file_routes);

  // Withdraws everything from the registries, lets requests in flight finish, stops. Takes at most
  // kWithdrawTime, kStateTime and the drain timeout. What was published and subscribed is
  // remembered all the same.
  void stop();

  // Gives all to a successor; leave() must follow then. Where it fails, all goes on here.
  Result<Handover> hand_over_to(Successor& successor);
  // Finishes the requests in flight, and stops. Takes at most the drain timeout.
  void leave();

  // What upgrade() waits for, called by the owner: whether there is a successor now.
  void set_upgrade_result(const Result<Handover>& result);

  static constexpr std::chrono::seconds kWithdrawTime{3};
  static constexpr std::chrono::seconds kStateTime{2};
  // How long a start waits for registries before it counts as ready without them.
  static constexpr std::chrono::seconds kRegistryGrace{3};

 private:
  explicit Agent(AgentConfig config);

  Result<void> begin(FileRoutes file_routes, InheritedDescriptors inherited);
  Result<void> go_on_for(Predecessor& predecessor, FileRoutes file_routes);
  Result<void> take_from(Predecessor& predecessor, FileRoutes file_routes, LongestPause& pause);
  Result<void> open_ports(forwarder::CarriedListeners& ports);
  Result<std::size_t> make_room_for_descriptors();
  Result<void> open_state();
  Result<void> open_access_log();
  Result<void> open_descriptor_store();
  void begin_storing();
  forwarder::ForwarderConfig forwarder_config() const;
  Result<void> open_state(HandedState& handed);
  Result<void> wait_for_registries(const std::vector<std::string>& names);
  Result<void> wait_until_applied();
  bool leave_registries();
  Result<HandedState> leave_state();
  Result<HandedListeners> shared_listeners();
  Result<void> open_routes(FileRoutes file_routes);
  Result<void> start_control_plane(bool lists_frozen = false);
  // Before there is a control plane. Returns when `task` has run.
  Result<void> on_control_thread(const std::function<Result<void>()>& task);
  Result<void> start_api(std::vector<HttpListener> listeners, bool is_paused = false);
  void drain_forwarder();
  void log_start();
  void finish_writing_state();
  void shut_down();

  // On the control thread.
  void on_service(const std::string& interface, std::vector<dubbo::Url> providers,
                  const dubbo::RuleTexts& rules, const dubbo::ConsumerIdentity& consumer) override;
  void on_service_told(const std::string& interface,
                       std::chrono::steady_clock::time_point told_at) override;
  void on_service_gone(const std::string& interface) override;
  void on_local_services(const std::vector<registry::LocalService>& services) override;
  dubbo::Url governed(const dubbo::Url& provider, const dubbo::RuleTexts& rules) override;
  void apply_static_routes(std::shared_ptr<const governance::StaticRoutes> routes);

  // On worker threads.
  void need_service(const std::string& interface) override;

  // On HTTP threads.
  forwarder::TrafficSnapshot traffic() override;
  LatencyHistogram::Snapshot route_updates() override { return route_updates_.snapshot(); }
  AccessLogCounts access_log() override { return access_log_->counts(); }
  DescriptorStore::Counts stored_connections() override;
  double last_change_seconds() override { return last_change_seconds_; }
  forwarder::LocalTraffic local_traffic(const std::vector<std::uint16_t>& ports,
                                        std::chrono::milliseconds longest) override;
  bool is_stopping() override { return stopping_ || is_leaving_; }
  Result<Handover> upgrade() override;
  std::uint64_t upgrades_failed() override { return upgrades_failed_; }
  const AgentConfig& config() override { return config_; }
  StateReport state() override;
  std::optional<forwarder::Explanation> explain(const forwarder::ExplainRequest& request) override;
  RouteBook& routes() override { return *routes_; }         // on the control thread
  RouteCompiler& compiler() override { return compiler_; }  // likewise

  const AgentConfig config_;
  std::atomic<bool> running_{false};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> is_leaving_{false};  // what is changed now, a successor would not know
  std::atomic<bool> registries_had_a_chance_{false};
  std::atomic<bool> was_drained_{false};  // as the control thread said last
  std::chrono::steady_clock::time_point started_at_;
  bool shut_down_ = false;

  LatencyHistogram route_updates_;
  std::atomic<double> last_change_seconds_{0};

  std::atomic<std::uint64_t> upgrades_failed_{0};
  std::mutex upgrade_mutex_;
  std::optional<std::promise<Result<Handover>>> upgrade_;  // guarded by it; one at a time

  RouteCompiler compiler_;  // used on the control thread only

  // In the order of their start; each uses those above it.
  registry::ControlThread control_thread_;
  std::unique_ptr<StateKeeper> state_;  // empty without a state folder
  std::unique_ptr<RouteBook> routes_;   // used on the control thread only
  forwarder::LineRings access_log_rings_;
  std::unique_ptr<AccessLogWriter> access_log_;
  std::unique_ptr<DescriptorStore> descriptor_store_;  // empty where systemd did not start this
  std::unique_ptr<forwarder::Forwarder> forwarder_;
  std::unique_ptr<registry::ControlPlane> control_plane_;  // used on the control thread only
  std::optional<ControlClient> control_;
  std::optional<Api> api_;
  std::unique_ptr<HttpServer> http_;
};

}  // namespace skiff::agent
