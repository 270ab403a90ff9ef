#include "registry/held_endpoints.h"

#include "registry/limits.h"

namespace skiff::registry {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kTurn{100};
constexpr std::size_t kProbesPerTurn = kMaxProbesPerSecond / (milliseconds(1'000) / kTurn);
// Another try where it is not decided yet.
constexpr milliseconds kRetryPause{1'000};

}  // namespace

void HeldEndpoints::set(const std::string& interface, Addresses addresses) {
  const auto known = by_interface_.find(interface);
  if (known == by_interface_.end() && addresses.empty()) return;
  const Addresses before = known == by_interface_.end() ? Addresses() : known->second;
  if (before == addresses) return;
  for (const auto& [address, services] : addresses) add(interface, address, services);
  for (const auto& [address, services] : before) {
    if (!addresses.contains(address)) remove(interface, address);
  }
  if (addresses.empty()) {
    by_interface_.erase(known);
  } else {
    by_interface_[interface] = std::move(addresses);
  }
}

void HeldEndpoints::add(const std::string& interface, const std::string& address,
                        const std::set<std::string>& services) {
  const auto [entry, is_new] = endpoints_.try_emplace(address);
  entry->second.services[interface] = services;
  if (is_new) {
    std::uniform_int_distribution<std::int64_t> pause(0, kFirstProbePause.count());
    plan(address, entry->second, milliseconds(pause(random_)));
  }
}

// One that is under way is forgotten when its result comes.
void HeldEndpoints::remove(const std::string& interface, const std::string& address) {
  const auto found = endpoints_.find(address);
  Endpoint& endpoint = found->second;
  endpoint.services.erase(interface);
  if (!endpoint.services.empty() || endpoint.is_under_way) return;
  queue_.erase({endpoint.due, address});
  endpoints_.erase(found);
}

void HeldEndpoints::plan(const std::string& address, Endpoint& endpoint, milliseconds pause) {
  endpoint.due = executor_.now() + pause;
  queue_.emplace(endpoint.due, address);
  start_timer();
}

void HeldEndpoints::start_timer() {
  if (std::exchange(timer_runs_, true)) return;
  executor_.post_after(kTurn, alive_.guard([this] { turn(); }));
}

void HeldEndpoints::turn() {
  timer_runs_ = false;
  const Time now = executor_.now();
  for (std::size_t started = 0; started < kProbesPerTurn && under_way_ < kMaxProbesUnderWay;
       ++started) {
    if (queue_.empty() || queue_.begin()->first > now) break;
    const std::string address = queue_.extract(queue_.begin()).value().second;
    Endpoint& endpoint = endpoints_.at(address);
    endpoint.is_under_way = true;
    ++under_way_;
    std::set<std::string> services;
    for (const auto& [interface, asked] : endpoint.services) {
      services.insert(asked.begin(), asked.end());
    }
    probe_.probe(address, services, alive_.guard([this, address](const ProbeReport& report) {
      on_report(address, report);
    }));
  }
  if (!queue_.empty()) start_timer();
}

void HeldEndpoints::on_report(const std::string& address, const ProbeReport& report) {
  const ProbeResult result = report.result;
  --under_way_;
  ++metrics_.probes[static_cast<std::size_t>(result)];
  const auto found = endpoints_.find(address);
  Endpoint& endpoint = found->second;
  endpoint.is_under_way = false;
  if (endpoint.services.empty()) {
    endpoints_.erase(found);
    return;
  }
  endpoint.silent = result == ProbeResult::kSilent ? endpoint.silent + 1 : 0;
  const bool answers = result == ProbeResult::kAnswers;
  const bool is_dead = result == ProbeResult::kGone || endpoint.silent >= kSilentProbesToBeDead;
  const bool is_decided = answers || is_dead;
  plan(address, endpoint, is_decided ? endpoint.backoff.next() : kRetryPause);
  if (!is_decided) return;
  // A verdict may make services let go of the address.
  const auto services = endpoint.services;
  for (const auto& [interface, asked] : services) {
    on_verdict_(interface, address, answers, report.down);
  }
}

}  // namespace skiff::registry
