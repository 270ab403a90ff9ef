#include "registry/provider_checker.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <mutex>
#include <set>
#include <system_error>
#include <thread>
#include <utility>

#include "registry/alive.h"
#include "registry/ip_address.h"
#include "registry/provider_check.h"
#include "registry/socket_address.h"

namespace skiff::registry {
namespace {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;

// All checks of the agent on one thread. watch() and unwatch() leave a command in a mailbox;
// results are posted to the control thread once a turn.
class SocketChecker final : public ProviderChecker {
 public:
  SocketChecker(const IpAddress& host, Executor& executor, CheckEvents& events)
      : host_(host),
        executor_(executor),
        events_(events),
        epoll_(epoll_create1(EPOLL_CLOEXEC)),
        wakeup_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

  Result<void> start() {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = nullptr;
    if (epoll_ < 0 || wakeup_ < 0 || epoll_ctl(epoll_, EPOLL_CTL_ADD, wakeup_, &event) != 0) {
      return fail(ErrorCode::kUnavailable,
                  "health checks: " + std::generic_category().message(errno));
    }
    thread_ = std::thread([this] { run(); });
    return {};
  }

  ~SocketChecker() override {
    if (thread_.joinable()) {
      command([this] { stopping_ = true; });
      thread_.join();
    }
    checks_.clear();  // their sockets before the epoll that knows them
    if (wakeup_ >= 0) close(wakeup_);
    if (epoll_ >= 0) close(epoll_);
  }

  SocketChecker(const SocketChecker&) = delete;
  SocketChecker& operator=(const SocketChecker&) = delete;

  void watch(const CheckTarget& target) override {
    command([this, target] { begin(target); });
  }
  void unwatch(const CheckTarget& target) override {
    command([this, target] { forget(target); });
  }

 private:
  struct Scheduled {
    TimePoint due;
    ProviderCheck* check;
    bool operator<(const Scheduled& other) const {
      return std::pair(due, check) < std::pair(other.due, other.check);
    }
  };

  // From any thread.
  void command(std::function<void()> what) {
    {
      const std::lock_guard lock(mutex_);
      commands_.push_back(std::move(what));
    }
    eventfd_write(wakeup_, 1);
  }

  void run() {
    pthread_setname_np(pthread_self(), "skiff-checks");
    while (true) {
      run_commands();
      if (stopping_) return;
      turn();
    }
  }

  void run_commands() {
    std::vector<std::function<void()>> commands;
    {
      const std::lock_guard lock(mutex_);
      commands.swap(commands_);
    }
    for (const auto& what : commands) what();
  }

  void begin(const CheckTarget& target) {
    const TimePoint now = Clock::now();
    const auto [entry, is_new] = checks_.try_emplace(target, nullptr);
    if (is_new) {
      entry->second =
          std::make_unique<ProviderCheck>(target, SocketAddress(host_, target.port), epoll_, now);
    } else {
      due_.erase({entry->second->due(), entry->second.get()});
      entry->second->hurry(now);
    }
    due_.insert({entry->second->due(), entry->second.get()});
  }

  void forget(const CheckTarget& target) {
    const auto found = checks_.find(target);
    if (found == checks_.end()) return;
    due_.erase({found->second->due(), found->second.get()});
    checks_.erase(found);
  }

  // Events come before deadlines: an answer that waits while this thread was held up counts.
  void turn() {
    std::array<epoll_event, 256> ready;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    const int count = epoll_wait(epoll_, ready.data(), static_cast<int>(ready.size()), wait_ms());
    const TimePoint now = Clock::now();
    for (int i = 0; i < count; ++i) {
      const auto& event = ready[static_cast<std::size_t>(i)];
      if (event.data.ptr == nullptr) {
        eventfd_t ignored = 0;
        eventfd_read(wakeup_, &ignored);
        continue;
      }
      step(*static_cast<ProviderCheck*>(event.data.ptr),
           [&](ProviderCheck& check) { check.on_events(event.events, now); });
    }
    // Not while events may still wait behind those that were taken.
    const bool all_taken = count < static_cast<int>(ready.size());
    while (all_taken && !due_.empty() && due_.begin()->due <= now) {
      step(*due_.begin()->check, [now](ProviderCheck& check) { check.on_time(now); });
    }
    report();
  }

  int wait_ms() const {
    if (due_.empty()) return -1;
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(due_.begin()->due - Clock::now());
    return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
  }

  template <typename Step>
  void step(ProviderCheck& check, Step take) {
    due_.erase({check.due(), &check});
    take(check);
    due_.insert({check.due(), &check});
    if (auto result = check.take_result()) results_.push_back(std::move(*result));
  }

  void report() {
    if (results_.empty()) return;
    executor_.post(alive_.guard(
        [this, results = std::exchange(results_, {})] { events_.on_check_results(results); }));
  }

  const IpAddress host_;
  Executor& executor_;
  CheckEvents& events_;
  Alive alive_;
  const int epoll_;
  const int wakeup_;
  std::mutex mutex_;
  std::vector<std::function<void()>> commands_;  // guarded by mutex_

  // On the thread only.
  bool stopping_ = false;
  std::map<CheckTarget, std::unique_ptr<ProviderCheck>> checks_;
  std::set<Scheduled> due_;
  std::vector<CheckResult> results_;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace

CheckerFactory socket_checker(const std::string& host) {
  return
      [host](Executor& executor, CheckEvents& events) -> Result<std::unique_ptr<ProviderChecker>> {
        const auto address = IpAddress::parse(host);
        if (!address) {
          return fail(ErrorCode::kInvalidArgument,
                      "provider host \"" + host + "\": expected a numeric address");
        }
        auto checker = std::make_unique<SocketChecker>(*address, executor, events);
        if (auto started = checker->start(); !started) {
          return tl::unexpected<Error>(std::move(started.error()));
        }
        return checker;
      };
}

}  // namespace skiff::registry
