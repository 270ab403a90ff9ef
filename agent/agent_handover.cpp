// From one process to its successor: what the agent does on either side (handover_channel.h has
// what they say to each other).
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <ranges>
#include <thread>
#include <utility>

#include "agent/agent.h"
#include "agent/predecessor.h"
#include "agent/successor.h"

namespace skiff::agent {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kPollInterval = 5ms;
// Of the agent: calls of the API, and the registries' last words.
constexpr auto kApiTime = 4s;
constexpr auto kLeaveTime = 3s;
constexpr auto kCarryTime = 500ms;
// Of its successor: the sessions of the registries that the agent is connected with.
constexpr auto kRegistryTime = 10s;
constexpr auto kApplyTime = 5s;
// All steps together, at their limits, take less.
constexpr auto kUpgradeTime = 90s;

// What to do again the other way round where a hand-over fails, the last first.
class WayBack {
 public:
  ~WayBack() {
    for (const auto& step : std::ranges::reverse_view(steps_)) step();
  }
  WayBack() = default;
  WayBack(const WayBack&) = delete;
  WayBack& operator=(const WayBack&) = delete;

  void add(std::function<void()> step) { steps_.push_back(std::move(step)); }
  void close() { steps_.clear(); }

 private:
  std::vector<std::function<void()>> steps_;
};

}  // namespace

// --- the agent

Result<Handover> Agent::upgrade() {
  std::future<Result<Handover>> result;
  {
    const std::lock_guard lock(upgrade_mutex_);
    if (upgrade_) return fail(ErrorCode::kUnavailable, "an upgrade is under way already");
    result = upgrade_.emplace().get_future();
  }
  kill(getpid(), SIGUSR2);  // the owner's thread waits for it
  if (result.wait_for(kUpgradeTime) == std::future_status::ready) return result.get();
  return fail(ErrorCode::kTimeout, "the upgrade takes longer than it may; the log says more");
}

void Agent::set_upgrade_result(const Result<Handover>& result) {
  const std::lock_guard lock(upgrade_mutex_);
  if (upgrade_) upgrade_->set_value(result);
  upgrade_.reset();
}

HandedListeners Agent::shared_listeners() {
  HandedListeners listeners{.ports = forwarder_->listeners(), .api = {}};
  for (HttpListener& listener : http_->duplicate_listeners()) {
    listeners.api.push_back({.address = listener.address().to_string(), .fd = listener.leave()});
  }
  return listeners;
}

// What the state folder has from here on is the successor's.
Result<HandedState> Agent::leave_state() {
  const auto handed = std::make_shared<HandedState>();
  const auto problem = control_->wait_for<std::string>(
      kStateTime, [this, handed](registry::ControlPlane& plane, auto done) {
        for (const registry::RegistryStatus& status : plane.registries()) {
          if (status.connected) handed->connected.push_back(status.name);
        }
        handed->folder = config_.state_dir;
        handed->lists_frozen = plane.metrics().is_frozen;
        handed->lock = state_->share_lock();
        state_->leave_to_successor([done](const std::string& why) { done(why); });
      });
  if (!problem) return fail(ErrorCode::kTimeout, "the state is not written in time");
  if (!problem->empty()) {
    return fail(ErrorCode::kUnavailable, "the state cannot be handed over: " + *problem);
  }
  return std::move(*handed);
}

void Agent::leave_registries() {
  const auto left =
      control_->wait_for<bool>(kLeaveTime, [](registry::ControlPlane& plane, auto done) {
        plane.leave_registries([done] { done(true); });
      });
  if (!left) spdlog::warn("not all registries could be left in time");
}

Result<Handover> Agent::hand_over_to(Successor& successor) {
  if (!state_) {
    return fail(ErrorCode::kUnavailable,
                "without a state folder (--state-dir) a successor would not know what was "
                "published and subscribed");
  }
  const auto error_of = [](auto& result) {
    return tl::unexpected<Error>(std::move(result.error()));
  };
  if (auto offered = successor.offer(shared_listeners()); !offered) return error_of(offered);

  WayBack way_back;
  bool was_asked_by_api = false;
  {
    const std::lock_guard lock(upgrade_mutex_);
    was_asked_by_api = upgrade_.has_value();
  }
  way_back.add([this] { http_->resume(); });
  if (!http_->pause(was_asked_by_api ? 1 : 0, kApiTime)) {
    spdlog::info("upgrade: calls of the API still wait; they are answered by this process");
  }
  way_back.add([this] {
    control_->ask([this](registry::ControlPlane& plane) {
      state_->resume();
      plane.return_to_registries();
      return true;
    });
  });
  auto state = leave_state();
  if (!state) return error_of(state);
  leave_registries();
  // It must have ended before all goes on here.
  way_back.add([&successor] { successor.end(); });
  if (auto prepared = successor.prepare(*state); !prepared) return error_of(prepared);

  const Clock::time_point pause_start = Clock::now();
  auto connections = forwarder_->carry(kCarryTime);
  if (!connections) return error_of(connections);
  way_back.add([this] { forwarder_->resume(); });
  Handover handover{.pid = successor.pid(),
                    .version = successor.version(),
                    .consumers = connections->consumers.size(),
                    .inbound = connections->inbound.size()};
  if (auto given = successor.give({.connections = std::move(*connections)}); !given) {
    return error_of(given);
  }
  way_back.close();
  forwarder_->leave_to_successor();
  successor.let_go(http_->leave_to_successor());
  if (!successor.serves()) spdlog::error("upgrade: the new process does not say that it serves");
  handover.pause =
      std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - pause_start);
  return handover;
}

void Agent::leave() {
  stopping_ = true;
  drain_forwarder();
  shut_down();
  spdlog::info("stopped: the new process goes on");
}

// --- its successor

Result<std::unique_ptr<Agent>> Agent::take_over(Predecessor& predecessor, AgentConfig config,
                                                FileRoutes file_routes) {
  std::unique_ptr<Agent> agent(new Agent(std::move(config)));
  if (auto begun = agent->go_on_for(predecessor, std::move(file_routes)); !begun) {
    return tl::unexpected<Error>(std::move(begun.error()));
  }
  return agent;
}

Result<void> Agent::go_on_for(Predecessor& predecessor, FileRoutes file_routes) {
  spdlog::info("taking over, as process {}", getpid());
  if (auto prepared = prepare_for(predecessor, std::move(file_routes)); !prepared) {
    // The sessions are the running agent's again.
    if (control_) leave_registries();
    return prepared;
  }
  auto handed = predecessor.ask_for_connections();
  auto clients = handed ? predecessor.take() : tl::unexpected<Error>(std::move(handed.error()));
  if (!clients) {
    leave_registries();
    return tl::unexpected<Error>(std::move(clients.error()));
  }
  forwarder_->adopt(std::move(handed->connections));
  forwarder_->serve();
  for (HttpListener& listener : api_listeners_) listener.own_file();
  // From here on there is no way back: without an API, it is better than nothing.
  if (auto started = start_api(std::exchange(api_listeners_, {}), std::move(*clients)); !started) {
    spdlog::error("{}", started.error().message);
  }
  running_ = true;
  predecessor.finish();
  log_start();
  return {};
}

Result<void> Agent::prepare_for(Predecessor& predecessor, FileRoutes file_routes) {
  if (auto log = open_access_log(); !log) return log;
  auto listeners = predecessor.greet();
  if (!listeners) return tl::unexpected<Error>(std::move(listeners.error()));
  auto opened = open_listeners(std::move(*listeners));
  if (!opened) return tl::unexpected<Error>(std::move(opened.error()));
  api_listeners_ = std::move(*opened);
  auto state = predecessor.ask_for_state();
  if (!state) return tl::unexpected<Error>(std::move(state.error()));
  forwarder_->start();
  if (auto read = open_state(*state); !read) return read;
  if (auto routes = open_routes(std::move(file_routes)); !routes) return routes;
  if (auto started = start_control_plane(state->lists_frozen); !started) return started;
  if (auto connected = wait_for_registries(state->connected); !connected) return connected;
  return wait_until_applied();
}

// Those of the data plane must be where the running agent listens. Those of the API that it does
// not have are opened.
Result<std::vector<HttpListener>> Agent::open_listeners(HandedListeners handed) {
  auto forwarder = forwarder::Forwarder::open(forwarder_config(), *this, std::move(handed.ports));
  if (!forwarder) {
    return fail(forwarder.error().code,
                forwarder.error().message + "; that is changed by a restart only");
  }
  forwarder_ = std::move(*forwarder);
  std::vector<HttpListener> listeners;
  for (const ApiAddress& address : config_.api) {
    const auto is_it = [&](const auto& one) { return one.address == address.to_string(); };
    const auto found = std::ranges::find_if(handed.api, is_it);
    if (found != handed.api.end()) {
      listeners.emplace_back(address, std::move(found->fd));
      continue;
    }
    auto opened = HttpListener::open(address);
    if (!opened) return tl::unexpected<Error>(std::move(opened.error()));
    listeners.push_back(std::move(*opened));
  }
  return listeners;
}

Result<void> Agent::open_state(HandedState& handed) {
  if (config_.state_dir != handed.folder) {
    return fail(ErrorCode::kInvalidArgument, "--state-dir: came " + config_.state_dir +
                                                 ", the running agent uses " + handed.folder +
                                                 "; that is changed by a restart only");
  }
  return on_control_thread([&]() -> Result<void> {
    state_ =
        StateKeeper::open(handed.folder, StateDirLock(std::move(handed.lock)), control_thread_);
    return {};
  });
}

Result<void> Agent::wait_for_registries(const std::vector<std::string>& names) {
  const Clock::time_point until = Clock::now() + kRegistryTime;
  while (true) {
    const auto registries =
        control_->ask([](registry::ControlPlane& plane) { return plane.registries(); });
    if (!registries) return fail(ErrorCode::kTimeout, "the control thread does not answer");
    const auto missing = std::ranges::find_if(*registries, [&](const auto& status) {
      return !status.connected && std::ranges::find(names, status.name) != names.end();
    });
    if (missing == registries->end()) {
      registries_had_a_chance_ = true;
      return {};
    }
    if (Clock::now() >= until) {
      return fail(ErrorCode::kTimeout,
                  "registry " + missing->name +
                      ": not connected, though the running agent is: " + missing->detail);
    }
    std::this_thread::sleep_for(kPollInterval);
  }
}

// Until the workers have the routes that came of what was restored.
Result<void> Agent::wait_until_applied() {
  const auto applied = std::make_shared<std::promise<void>>();
  forwarder_->when_applied([applied] { applied->set_value(); });
  if (applied->get_future().wait_for(kApplyTime) == std::future_status::ready) return {};
  return fail(ErrorCode::kTimeout, "the workers do not answer");
}

}  // namespace skiff::agent
