#include "agent/run.h"

#include <malloc.h>
#include <pthread.h>
#include <spdlog/async.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <ctime>

#include "agent/agent.h"
#include "agent/config_reload.h"
#include "agent/descriptor_limit.h"
#include "agent/log_lines.h"
#include "agent/recent_events.h"
#include "agent/service_manager.h"
#include "agent/state_dir.h"
#include "agent/successor.h"

namespace skiff::agent {
namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

constexpr milliseconds kReadyPoll = 50ms;
// How often the configuration file is looked at.
constexpr milliseconds kIdlePoll = 1s;

// Log lines wait here for the thread that writes them; where standard error is too slow for them,
// the oldest are lost, rather than a thread that logs being held up.
constexpr std::size_t kLogLinesMax = 8192;

// The status that systemd shows.
constexpr const char* kServing = "serving";
constexpr const char* kDrained = "drained: consumers are served, providers are out of service";

void set_up_logging(const AgentConfig& config) {
  spdlog::init_thread_pool(kLogLinesMax, 1);
  spdlog::set_default_logger(spdlog::create_async_nb<spdlog::sinks::stderr_color_sink_mt>("skiff"));
  spdlog::default_logger()->sinks().push_back(recent_events_sink());
  spdlog::set_formatter(log_formatter(style_of_stderr(config.log_format)));
  spdlog::set_level(spdlog::level::from_str(config.log_level));
}

sigset_t stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

sigset_t awaited_signals() {
  sigset_t signals = stop_signals();
  sigaddset(&signals, SIGHUP);
  sigaddset(&signals, SIGUSR2);
  return signals;
}

// Signals are taken by the main thread, one by one, in wait_for_signal(). All threads started
// later inherit the mask.
void block_signals() {
  const sigset_t signals = awaited_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error of its write
}

// The next signal, or 0 after `limit`.
int wait_for_signal(milliseconds limit) {
  const sigset_t signals = awaited_signals();
  timespec time{};
  time.tv_sec = static_cast<time_t>(limit.count() / 1000);
  time.tv_nsec = static_cast<long>(limit.count() % 1000 * 1'000'000);
  return std::max(sigtimedwait(&signals, nullptr, &time), 0);
}

// From now on SIGTERM or SIGINT ends the process at once.
void let_second_signal_end_the_process() {
  struct sigaction action {};
  action.sa_handler = [](int) { _exit(1); };
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  const sigset_t signals = stop_signals();
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

// While an upgrade waits for the new process: false where this one is asked to stop.
bool go_on_waiting() {
  notify_watchdog();
  sigset_t pending{};
  sigpending(&pending);
  return sigismember(&pending, SIGTERM) == 0 && sigismember(&pending, SIGINT) == 0;
}

// True where a new process goes on; where it does not, all is as it was.
bool upgrade(Agent& agent, const Program& program) {
  spdlog::info("upgrade: starting {}", program.path);
  notify_reloading("starting a new process");
  const auto handed_over = [&]() -> Result<Handover> {
    if (getpid() == 1) {
      return fail(ErrorCode::kUnsupported,
                  "this is the first process of a container, which ends with it: replace the "
                  "container instead");
    }
    auto successor = Successor::start(program, go_on_waiting);
    if (!successor) return tl::unexpected<Error>(std::move(successor.error()));
    auto handover = agent.hand_over_to(**successor);
    if (const std::size_t lost = (*successor)->connections_taken(); !handover && lost > 0) {
      handover.error().message +=
          "; " + std::to_string(lost) + " connections that it had taken are closed";
    }
    if (handover) {
      notify_successor(handover->pid);
      (*successor)->farewell();
    }
    return handover;
  }();
  if (handed_over) {
    spdlog::info(
        "upgrade: process {}, skiff {}, goes on with {} consumers and {} inbound "
        "connections, none of which stood still for more than {} us",
        handed_over->pid, handed_over->version, handed_over->consumers, handed_over->inbound,
        handed_over->pause.count());
  } else {
    spdlog::error("upgrade failed, this process goes on: {}", handed_over.error().message);
    notify_ready(std::string(agent.is_drained() ? kDrained : kServing) +
                 "; an upgrade failed: " + handed_over.error().message);
  }
  agent.set_upgrade_result(handed_over);
  return handed_over.has_value();
}

enum class End { kStop, kSuccessor };

// Returns when the agent is asked to stop, or another process goes on.
End run_until_signal(Agent& agent, ConfigReload& configuration, const Program& program) {
  const auto watchdog = watchdog_interval();
  const milliseconds idle_poll = watchdog ? std::clamp(*watchdog, 1ms, kIdlePoll) : kIdlePoll;
  bool is_ready = false;
  bool was_drained = false;
  while (true) {
    if (!is_ready && agent.startup().ready) {
      is_ready = true;
      notify_ready(kServing);
      agent.log_registries();
      spdlog::info("ready");
    }
    if (is_ready && agent.is_drained() != was_drained) {
      was_drained = !was_drained;
      notify_status(was_drained ? kDrained : kServing);
    }
    if (watchdog && agent.is_alive()) notify_watchdog();
    const int signal = wait_for_signal(is_ready ? idle_poll : std::min(kReadyPoll, idle_poll));
    if (signal == SIGTERM || signal == SIGINT) {
      spdlog::info("received {}", signal == SIGTERM ? "SIGTERM" : "SIGINT");
      return End::kStop;
    }
    if (signal == SIGUSR2 && upgrade(agent, program)) return End::kSuccessor;
    if (signal == SIGHUP) configuration.reload();
    if (signal == 0 && is_ready) configuration.look();
  }
}

// Threads other than the first have arenas of their own in glibc, which grow page by page, a system
// call each: a second of an agent's start that knows 10,000 services. Workers allocate next to
// nothing, so that one arena serves all.
void share_one_arena() { mallopt(M_ARENA_MAX, 1); }

int failed_start(const Error& error, LogFormat format, std::optional<Predecessor>& predecessor) {
  if (predecessor) predecessor->give_up(error.message);
  spdlog::shutdown();  // what was logged comes first
  std::fputs(error_line(style_of_stderr(format), error.message).c_str(), stderr);
  return 1;
}

// A running agent has its folder locked: it is the one that this process goes on for.
Result<std::string> state_dir_of(const AgentConfig& config, bool has_predecessor) {
  if (has_predecessor) return config.state_dir.empty() ? kDefaultStateDir : config.state_dir;
  return choose_state_dir(config.state_dir);
}

}  // namespace

int run_agent(LoadedConfig loaded, const ConfigSources& sources,
              std::optional<Predecessor> predecessor) {
  share_one_arena();
  raise_descriptor_limit();
  reserve_descriptors(kReservedDescriptors);
  block_signals();
  set_up_logging(loaded.config);
  const Program program = Program::of_this_process();
  auto state_dir = state_dir_of(loaded.config, predecessor.has_value());
  const LogFormat log_format = loaded.config.log_format;
  if (!state_dir) return failed_start(state_dir.error(), log_format, predecessor);
  AgentConfig config = loaded.config;
  config.state_dir = *state_dir;

  FileRoutes file_routes{.file = loaded.file, .hosts = loaded.routes, .filters = loaded.filters};
  auto agent = predecessor
                   ? Agent::take_over(*predecessor, std::move(config), std::move(file_routes))
                   : Agent::start(std::move(config), std::move(file_routes),
                                  InheritedDescriptors::from_environment());
  if (!agent) return failed_start(agent.error(), log_format, predecessor);
  predecessor.reset();
  ConfigReload configuration(sources, std::move(loaded), [&agent](FileRoutes routes) {
    return (*agent)->set_file_routes(std::move(routes));
  });
  const End end = run_until_signal(**agent, configuration, program);
  if (end == End::kStop) {
    notify_stopping();
    let_second_signal_end_the_process();
    (*agent)->stop();
  } else {
    // Whoever stops the service now means the new process: this one has its time to answer.
    (*agent)->leave();
  }
  agent->reset();
  spdlog::shutdown();
  return 0;
}

}  // namespace skiff::agent
