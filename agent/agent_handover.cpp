// From one process to its successor: what the agent does on either side (handover_channel.h has
// what they say to each other).
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <thread>
#include <utility>

#include "agent/agent.h"
#include "agent/descriptor_limit.h"
#include "agent/predecessor.h"
#include "agent/process_figures.h"
#include "agent/successor.h"

namespace skiff::agent {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kPollInterval = 5ms;
constexpr std::uint64_t kSpareDescriptors = 1'000;
// Of the agent: calls of the API, the registries' last words, and its connections, all together;
// meanwhile nobody accepts new ones.
constexpr auto kApiTime = 4s;
constexpr auto kLeaveTime = 3s;
constexpr auto kHandOverTime = 5s;
// Of its successor: the sessions of the registries that the agent is connected with.
constexpr auto kRegistryTime = 10s;
constexpr auto kApplyTime = 5s;
// All steps together, at their limits, take less.
constexpr auto kUpgradeTime = 90s;

// What to do again the other way round where a hand-over fails, the last first.
class WayBack {
 public:
  ~WayBack() {
    for (; !steps_.empty(); steps_.pop_back()) steps_.back()();
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

// For how long connections that go over stand still.
class LongestPause {
 public:
  // To be called, from any thread, when some that have stood still since then do not any more.
  std::function<void()> since(Clock::time_point stopped_at) const {
    return [longest = longest_, stopped_at] {
      const Clock::rep pause = (Clock::now() - stopped_at).count();
      Clock::rep known = longest->load();
      while (known < pause && !longest->compare_exchange_weak(known, pause)) {
      }
    };
  }
  std::chrono::microseconds so_far() const {
    return std::chrono::duration_cast<std::chrono::microseconds>(Clock::duration(longest_->load()));
  }

 private:
  const std::shared_ptr<std::atomic<Clock::rep>> longest_ =
      std::make_shared<std::atomic<Clock::rep>>(0);
};

// --- the agent

Result<Handover> Agent::upgrade() {
  std::future<Result<Handover>> result;
  {
    const std::lock_guard lock(upgrade_mutex_);
    if (stopping_) return fail(ErrorCode::kUnavailable, "the agent is stopping");
    if (upgrade_) return fail(ErrorCode::kUnavailable, "an upgrade is under way already");
    result = upgrade_.emplace().get_future();
  }
  kill(getpid(), SIGUSR2);  // the owner's thread waits for it
  if (result.wait_for(kUpgradeTime) == std::future_status::ready) return result.get();
  return fail(ErrorCode::kTimeout, "the upgrade takes longer than it may; the log says more");
}

void Agent::set_upgrade_result(const Result<Handover>& result) {
  const std::lock_guard lock(upgrade_mutex_);
  if (!result) ++upgrades_failed_;
  if (upgrade_) upgrade_->set_value(result);
  upgrade_.reset();
}

Result<HandedListeners> Agent::shared_listeners() {
  auto ports = forwarder_->listeners();
  if (!ports) return tl::unexpected<Error>(std::move(ports.error()));
  HandedListeners listeners{.ports = std::move(*ports), .api = {}};
  for (HttpListener& listener : http_->duplicate_listeners()) {
    listeners.api.push_back({.address = listener.address().to_string(), .fd = listener.leave()});
  }
  return listeners;
}

// Each connection goes over as a descriptor of its own, and some with one for answers: as long as
// both processes have them, there are three times as many. Returns how many that is.
Result<std::size_t> Agent::make_room_for_descriptors() {
  const std::uint64_t limit = raise_descriptor_limit();
  const auto gauges = traffic().gauges;
  const std::uint64_t connections =
      gauges.at("outbound_connections") + gauges.at("inbound_connections");
  const std::uint64_t needed = process_figures().open_fds + 3 * connections + kSpareDescriptors;
  if (needed <= limit) {
    reserve_descriptors(needed);
    return needed;
  }
  return fail(ErrorCode::kUnavailable, "to hand over " + std::to_string(connections) +
                                           " connections takes up to " + std::to_string(needed) +
                                           " descriptors, and the limit is " +
                                           std::to_string(limit) + " (LimitNOFILE)");
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

bool Agent::leave_registries() {
  const auto left =
      control_->wait_for<bool>(kLeaveTime, [](registry::ControlPlane& plane, auto done) {
        plane.leave_registries([done] { done(true); });
      });
  return left.has_value();
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
  const auto descriptors = make_room_for_descriptors();
  if (!descriptors) return error_of(descriptors);
  auto listeners = shared_listeners();
  if (!listeners) return error_of(listeners);
  if (auto offered = successor.offer(*listeners); !offered) return error_of(offered);

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
  is_leaving_ = true;
  way_back.add([this] {
    is_leaving_ = false;
    control_->ask([this](registry::ControlPlane& plane) {
      state_->resume();
      plane.return_to_registries();
      return true;
    });
  });
  auto state = leave_state();
  if (!state) return error_of(state);
  state->descriptors = *descriptors;
  // It must have ended before the sessions and the folder are this process's again.
  way_back.add([this, &successor] {
    successor.end();
    if (descriptor_store_) descriptor_store_->forget_left();
  });
  if (!leave_registries()) {
    return fail(ErrorCode::kTimeout, "a registry's client has not left its session in time");
  }
  if (auto prepared = successor.prepare(*state); !prepared) return error_of(prepared);

  way_back.add([this] { forwarder_->resume(); });
  auto handed_over = forwarder_->hand_over(
      [&successor](auto connections) { return successor.give(std::move(connections)); },
      kHandOverTime);
  if (!handed_over) return error_of(handed_over);
  if (auto gone = successor.let_go(); !gone) return error_of(gone);
  way_back.close();
  forwarder_->leave_to_successor();
  if (descriptor_store_) descriptor_store_->leave_to_successor();
  const auto pause = successor.serves(http_->leave_to_successor());
  if (!pause) spdlog::error("upgrade: the new process does not say that it serves");
  return Handover{.pid = successor.pid(),
                  .version = successor.version(),
                  .consumers = handed_over->consumers,
                  .inbound = handed_over->inbound,
                  .pause = pause.value_or(0us)};
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
  LongestPause pause;
  if (auto taken = take_from(predecessor, std::move(file_routes), pause); !taken) {
    // It may go on at once; the sessions are its own again.
    predecessor.give_up(taken.error().message);
    if (control_) leave_registries();
    return taken;
  }
  // From here on there is no way back.
  forwarder_->serve();
  http_->go_on();
  http_->adopt(predecessor.api_clients());
  running_ = true;
  (void)wait_until_applied();  // workers that do not come to it are a matter of the watchdog
  predecessor.finish(pause.so_far());
  begin_storing();
  log_start();
  return {};
}

// Returns when all is this process's.
Result<void> Agent::take_from(Predecessor& predecessor, FileRoutes file_routes,
                              LongestPause& pause) {
  const auto error_of = [](auto& result) {
    return tl::unexpected<Error>(std::move(result.error()));
  };
  if (auto log = open_access_log(); !log) return error_of(log);
  if (auto opened = open_descriptor_store(); !opened) return error_of(opened);
  auto listeners = predecessor.greet();
  if (!listeners) return error_of(listeners);
  if (auto opened = open_ports(listeners->ports); !opened) return error_of(opened);
  auto api = HttpServer::listen(config_.api, std::move(listeners->api));
  if (!api) return error_of(api);
  auto state = predecessor.ask_for_state();
  if (!state) return error_of(state);
  reserve_descriptors(state->descriptors);
  forwarder_->start();
  if (auto read = open_state(*state); !read) return error_of(read);
  if (auto routes = open_routes(std::move(file_routes)); !routes) return error_of(routes);
  if (auto started = start_control_plane(state->lists_frozen); !started) return error_of(started);
  if (auto started = start_api(std::move(*api), true); !started) return error_of(started);
  if (auto connected = wait_for_registries(state->connected); !connected) {
    return error_of(connected);
  }
  if (auto applied = wait_until_applied(); !applied) return error_of(applied);
  return predecessor.take_connections([&](forwarder::CarriedConnections connections) {
    const Clock::time_point stopped_at = connections.stopped_at;
    forwarder_->adopt(std::move(connections));
    forwarder_->when_applied(pause.since(stopped_at));
  });
}

// They must be where the running agent listens.
Result<void> Agent::open_ports(forwarder::CarriedListeners& ports) {
  auto forwarder = forwarder::Forwarder::open(forwarder_config(), *this, std::move(ports));
  if (!forwarder) {
    return fail(forwarder.error().code,
                forwarder.error().message + "; that is changed by a restart only");
  }
  forwarder_ = std::move(*forwarder);
  return {};
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
    if (state_->report().files_set_aside == 0) return {};
    return fail(ErrorCode::kUnsupported,
                handed.folder + ": what the running agent wrote there cannot be read");
  });
}

Result<void> Agent::wait_for_registries(const std::vector<std::string>& names) {
  const Clock::time_point until = Clock::now() + kRegistryTime;
  while (true) {
    const auto registries =
        control_->ask([](registry::ControlPlane& plane) { return plane.registries(); });
    if (!registries) return fail(ErrorCode::kTimeout, "the control thread does not answer");
    const auto is_known = [&](const std::string& name) {
      return std::ranges::find(*registries, name, &registry::RegistryStatus::name) !=
             registries->end();
    };
    if (const auto gone = std::ranges::find_if_not(names, is_known); gone != names.end()) {
      return fail(ErrorCode::kInvalidArgument,
                  "--registry: the running agent is connected with " + *gone +
                      ", and has written there; it is given up by a restart only");
    }
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
