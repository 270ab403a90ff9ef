#include "agent/agent.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <future>
#include <utility>

#include "agent/state_dir.h"
#include "agent/version.h"
#include "dubbo/url.h"
#include "registry/ip_address.h"

namespace skiff::agent {
namespace {

using namespace std::chrono_literals;

// How long the workers may take to say what they counted.
constexpr auto kSnapshotTime = 500ms;

// Those among the forwarder's that stand where providers are looked for.
std::vector<std::uint16_t> own_ports(const forwarder::ForwarderConfig& config,
                                     const forwarder::Forwarder& forwarder) {
  const auto is_there = [&config](const forwarder::ListenAddress& address) {
    const auto ip = registry::IpAddress::parse(address.host);
    return address.host.empty() || address.host == config.provider_host ||
           (ip && ip->is_unspecified());
  };
  std::vector<std::uint16_t> ports;
  if (is_there(config.outbound)) ports.push_back(forwarder.outbound_port());
  if (is_there(config.inbound)) ports.push_back(forwarder.inbound_port());
  return ports;
}

registry::ControlPlaneConfig control_plane_config(const AgentConfig& config,
                                                  const forwarder::Forwarder& forwarder) {
  return {.registries = config.registries,
          .advertise = config.advertise,
          .inbound_port = forwarder.inbound_port(),
          .provider_host = config.forwarder.provider_host,
          .default_provider_port = config.forwarder.provider_port,
          .own_ports = own_ports(config.forwarder, forwarder),
          .application = config.application,
          .lists = config.lists,
          .application_discovery = config.application_discovery,
          .application_registration = config.application_registration,
          .warmup_steps = config.warmup_steps};
}

// What providers may be told of who calls them.
AgentConfig with_host_name(AgentConfig config) {
  std::array<char, HOST_NAME_MAX + 1> name{};
  if (gethostname(name.data(), name.size() - 1) == 0) config.forwarder.agent_name = name.data();
  return config;
}

}  // namespace

Result<std::unique_ptr<Agent>> Agent::start(AgentConfig config, FileRoutes file_routes,
                                            InheritedDescriptors inherited) {
  std::unique_ptr<Agent> agent(new Agent(std::move(config)));
  if (auto begun = agent->begin(std::move(file_routes), std::move(inherited)); !begun) {
    return tl::unexpected<Error>(std::move(begun.error()));
  }
  return agent;
}

Agent::Agent(AgentConfig config)
    : config_(with_host_name(std::move(config))),
      started_at_(std::chrono::steady_clock::now()),
      control_thread_("skiff-control") {}

Agent::~Agent() { shut_down(); }

Result<void> Agent::begin(FileRoutes file_routes, InheritedDescriptors inherited) {
  spdlog::info("skiff {} ({}), {} workers", version(), commit(), config_.forwarder.workers);
  if (auto opened = open_state(); !opened) return opened;
  if (auto opened = open_access_log(); !opened) return opened;
  if (auto opened = open_descriptor_store(); !opened) return opened;
  HandedListeners handed = inherited.take_listeners(config_);
  auto forwarder = forwarder::Forwarder::open(forwarder_config(), *this, std::move(handed.ports));
  if (!forwarder) return tl::unexpected<Error>(std::move(forwarder.error()));
  forwarder_ = std::move(*forwarder);
  if (auto opened = open_routes(std::move(file_routes)); !opened) return opened;
  if (auto started = start_control_plane(); !started) return started;
  auto listeners = HttpServer::listen(config_.api, std::move(handed.api));
  if (!listeners) return tl::unexpected<Error>(std::move(listeners.error()));
  forwarder_->adopt({.consumers = inherited.take_consumers(), .inbound = {}});
  forwarder_->serve();
  if (auto started = start_api(std::move(*listeners)); !started) return started;
  running_ = true;
  begin_storing();
  log_start();
  return {};
}

forwarder::ForwarderConfig Agent::forwarder_config() const {
  forwarder::ForwarderConfig config = config_.forwarder;
  config.access_log_rings = &access_log_rings_;
  config.connection_store = descriptor_store_.get();
  return config;
}

Result<void> Agent::open_access_log() {
  for (unsigned i = 0; i < std::max(config_.forwarder.workers, 1U); ++i) {
    access_log_rings_.push_back(std::make_unique<forwarder::LineRing>());
  }
  auto writer = AccessLogWriter::open(config_.access_log_target, access_log_rings_);
  if (!writer) return tl::unexpected<Error>(std::move(writer.error()));
  access_log_ = std::move(*writer);
  return {};
}

Result<void> Agent::open_descriptor_store() {
  auto store = DescriptorStore::open();
  if (!store) return tl::unexpected<Error>(std::move(store.error()));
  descriptor_store_ = std::move(*store);
  return {};
}

// Not of Unix sockets: where systemd removes the runtime directory, their files go with it.
void Agent::begin_storing() {
  if (!descriptor_store_) return;
  std::vector<DescriptorStore::Listener> stored;
  auto listeners = shared_listeners();
  if (!listeners) {
    spdlog::warn("listeners are not stored: {}", listeners.error().message);
    return descriptor_store_->begin(std::move(stored));
  }
  const auto add = [&stored](const char* name, forwarder::Fd fd) {
    stored.push_back({.name = name, .fd = std::move(fd)});
  };
  for (auto& fd : listeners->ports.outbound) add(DescriptorStore::kOutbound, std::move(fd));
  for (auto& fd : listeners->ports.inbound) add(DescriptorStore::kInbound, std::move(fd));
  for (auto& api : listeners->api) {
    if (!api.address.starts_with("unix:")) add(DescriptorStore::kApi, std::move(api.fd));
  }
  descriptor_store_->begin(std::move(stored));
}

DescriptorStore::Counts Agent::stored_connections() {
  return descriptor_store_ ? descriptor_store_->counts() : DescriptorStore::Counts();
}

Result<void> Agent::open_state() {
  if (config_.state_dir.empty()) {
    spdlog::warn(
        "no state folder: publications and subscriptions end with this process; --state-dir says "
        "where to keep them ({} is not there, or not writable, or another agent's)",
        kDefaultStateDir);
    return {};
  }
  // What is read there is replaced there: the allocator keeps the memory of each thread apart.
  return on_control_thread([this]() -> Result<void> {
    auto keeper = StateKeeper::open(config_.state_dir, control_thread_);
    if (!keeper) return tl::unexpected<Error>(std::move(keeper.error()));
    state_ = std::move(*keeper);
    return {};
  });
}

// Before the registries' first lists come, which are routed by them.
Result<void> Agent::open_routes(FileRoutes file_routes) {
  return on_control_thread([&]() -> Result<void> {
    routes_ = std::make_unique<RouteBook>(
        std::move(file_routes), state_.get(),
        [this](auto static_routes) { apply_static_routes(std::move(static_routes)); });
    return {};
  });
}

Result<bool> Agent::set_file_routes(FileRoutes file_routes) {
  auto taken =
      control_->ask([this, file_routes = std::move(file_routes)](registry::ControlPlane&) mutable {
        return routes_->set_file_routes(std::move(file_routes));
      });
  if (!taken) return fail(ErrorCode::kTimeout, "the control thread does not answer");
  return std::move(*taken);
}

void Agent::apply_static_routes(std::shared_ptr<const governance::StaticRoutes> routes) {
  compiler_.set_static_routes(std::move(routes));
  if (control_plane_) control_plane_->report_services_again();
}

// It is made on its own thread, where the registries' first events may arrive at any time.
Result<void> Agent::start_control_plane(bool lists_frozen) {
  Result<void> started = on_control_thread([this, lists_frozen]() -> Result<void> {
    auto plane = registry::ControlPlane::create(control_plane_config(config_, *forwarder_),
                                                control_thread_, *this, state_.get());
    if (!plane) return tl::unexpected<Error>(std::move(plane.error()));
    control_plane_ = std::move(*plane);
    if (state_) state_->attach(*control_plane_);
    if (lists_frozen) control_plane_->freeze();
    control_plane_->start();
    return {};
  });
  if (!started) return started;
  control_.emplace(control_thread_, *control_plane_);
  // What was restored is reported in tasks of their own: these are done after this.
  return on_control_thread([] { return Result<void>(); });
}

Result<void> Agent::on_control_thread(const std::function<Result<void>()>& task) {
  std::promise<Result<void>> promise;
  control_thread_.post([&] { promise.set_value(task()); });
  return promise.get_future().get();
}

Result<void> Agent::start_api(std::vector<HttpListener> listeners, bool is_paused) {
  ApiBackend& backend = *this;
  api_.emplace(*control_, backend);
  auto http = HttpServer::start(
      std::move(listeners), [this](const ApiRequest& request) { return api_->handle(request); },
      is_paused);
  if (!http) return tl::unexpected<Error>(std::move(http.error()));
  http_ = std::move(*http);
  return {};
}

void Agent::log_start() {
  for (const ListenerInfo& listener : listeners()) {
    spdlog::info("{} listens on {}", listener.name, listener.address);
  }
  for (const ApiAddress& address : http_->addresses()) {
    const bool is_local =
        address.is_unix() || address.host == "::1" || address.host.starts_with("127.");
    if (!is_local) {
      spdlog::warn("the API on {} is open to other machines, and asks nobody who he is",
                   address.to_string());
    }
  }
}

void Agent::log_registries() {
  const auto registries =
      control_->ask([](registry::ControlPlane& plane) { return plane.registries(); });
  if (!registries) return;
  for (const registry::RegistryStatus& status : *registries) {
    const bool has_address = !status.advertised.host.empty();
    const std::string advertised =
        has_address ? "; this machine is advertised as " +
                          dubbo::format_host_port(status.advertised.host, status.advertised.port) +
                          " (" + status.advertised.reason + ")"
                    : "";
    spdlog::info("registry {}: {}{}", status.name,
                 status.connected ? "connected" : "not connected: " + status.detail, advertised);
  }
}

std::vector<ListenerInfo> Agent::listeners() {
  std::vector<ListenerInfo> infos;
  for (const ApiAddress& address : http_->addresses())
    infos.push_back({"api", address.to_string()});
  forwarder::ListenAddress outbound = config_.forwarder.outbound;
  outbound.port = forwarder_->outbound_port();
  infos.push_back({"outbound", format_listen_address(outbound)});
  forwarder::ListenAddress inbound = config_.forwarder.inbound;
  inbound.port = forwarder_->inbound_port();
  infos.push_back({"inbound", format_listen_address(inbound)});
  return infos;
}

// The data plane serves as soon as it runs. Registries are given a moment, so that the first
// requests find their providers; when they are away, that is no reason to refuse traffic.
Readiness Agent::startup() {
  if (stopping_) return {.ready = false, .reason = "the agent is stopping"};
  if (!running_) return {.ready = false, .reason = "the agent is starting"};
  if (registries_had_a_chance_) return {.ready = true, .reason = ""};
  const auto registries =
      control_->ask([](registry::ControlPlane& plane) { return plane.registries(); });
  const bool all_connected =
      registries && std::all_of(registries->begin(), registries->end(),
                                [](const auto& status) { return status.connected; });
  const bool waited = std::chrono::steady_clock::now() - started_at_ > kRegistryGrace;
  if (!all_connected && !waited) {
    return {.ready = false, .reason = "the registries are not connected yet"};
  }
  registries_had_a_chance_ = true;
  return {.ready = true, .reason = ""};
}

Readiness Agent::readiness() {
  Readiness started = startup();
  if (!started.ready || !is_drained()) return started;
  return {.ready = false, .reason = "drained"};
}

// Where the control thread does not answer, it is as it was.
bool Agent::is_drained() {
  const auto is = control_->ask([](registry::ControlPlane& plane) { return plane.is_drained(); });
  if (is) was_drained_ = *is;
  return was_drained_;
}

bool Agent::is_alive() {
  return control_->ask([](registry::ControlPlane&) { return true; }).has_value();
}

void Agent::on_service(const std::string& interface, std::vector<dubbo::Url> providers,
                       const dubbo::RuleTexts& rules, const dubbo::ConsumerIdentity& consumer) {
  forwarder_->update_route(compiler_.compile(interface, std::move(providers), rules, consumer));
  last_change_seconds_ =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

dubbo::Url Agent::governed(const dubbo::Url& provider, const dubbo::RuleTexts& rules) {
  return compiler_.governed(provider, rules);
}

void Agent::on_service_told(const std::string& /*interface*/,
                            std::chrono::steady_clock::time_point told_at) {
  forwarder_->when_applied(
      [this, told_at] { route_updates_.observe(std::chrono::steady_clock::now() - told_at); });
}

void Agent::on_service_gone(const std::string& interface) {
  compiler_.forget(interface);
  forwarder_->remove_route(interface);
}

void Agent::on_local_services(const std::vector<registry::LocalService>& services) {
  std::vector<forwarder::LocalServicePort> ports;
  ports.reserve(services.size());
  for (const registry::LocalService& service : services) {
    ports.push_back({.service = service.service,
                     .port = service.port,
                     .down = service.down,
                     .leaving = service.leaving});
  }
  forwarder_->update_local_services(std::move(ports));
}

void Agent::need_service(const std::string& interface) {
  control_thread_.post([this, interface] {
    if (control_plane_) control_plane_->need_service(interface);
  });
}

forwarder::TrafficSnapshot Agent::traffic() { return forwarder_->snapshot(kSnapshotTime); }

std::optional<forwarder::Explanation> Agent::explain(const forwarder::ExplainRequest& request) {
  return forwarder_->explain(request, kSnapshotTime);
}

forwarder::LocalTraffic Agent::local_traffic(const std::vector<std::uint16_t>& ports,
                                             std::chrono::milliseconds longest) {
  return forwarder_->local_traffic(ports, longest, kSnapshotTime);
}

void Agent::stop() {
  stopping_ = true;
  set_upgrade_result(fail(ErrorCode::kUnavailable, "the agent is stopping"));
  spdlog::info("stopping: withdrawing publications");
  const auto withdrawn =
      control_->wait_for<bool>(kWithdrawTime + 1s, [](registry::ControlPlane& plane, auto done) {
        plane.withdraw_all(kWithdrawTime, [done] { done(true); });
      });
  if (!withdrawn) spdlog::warn("not everything could be withdrawn from the registries in time");
  // Who would connect now, and wait, goes elsewhere instead.
  if (descriptor_store_) descriptor_store_->remove(DescriptorStore::kInbound);
  finish_writing_state();
  drain_forwarder();
  shut_down();
  spdlog::info("stopped");
}

void Agent::drain_forwarder() {
  spdlog::info("stopping: waiting for requests in flight");
  if (!forwarder_->drain(config_.drain_timeout)) {
    spdlog::warn("requests were still in flight after the drain timeout, and were cut off");
  }
}

void Agent::finish_writing_state() {
  if (!state_) return;
  const auto stored = control_->wait_for<bool>(kStateTime, [this](auto& /*plane*/, auto done) {
    state_->when_all_stored([done] { done(true); });
  });
  if (!stored) spdlog::warn("the state was not written in time; a restart finds an older one");
}

StateReport Agent::state() {
  if (!state_) return {};
  return control_->ask([this](registry::ControlPlane&) { return state_->report(); })
      .value_or(StateReport{.folder = config_.state_dir,
                            .problem = "the control thread does not answer"});
}

// No new API requests, then the control plane, so that API calls that wait for it get their
// answers, then the rest.
void Agent::shut_down() {
  if (std::exchange(shut_down_, true)) return;
  stopping_ = true;
  if (http_) http_->close_listeners();
  control_thread_.stop();
  control_plane_.reset();
  routes_.reset();
  state_.reset();
  http_.reset();
  forwarder_.reset();
  descriptor_store_.reset();
}

}  // namespace skiff::agent
