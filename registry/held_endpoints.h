#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>

#include "registry/alive.h"
#include "registry/endpoint_probe.h"
#include "registry/executor.h"
#include "registry/registry_metrics.h"
#include "registry/zookeeper/backoff.h"

namespace skiff::registry {

// The addresses of providers that are held, and when each is probed next: first within a second,
// chosen at random since many agents hold the same ones, then with growing pauses. An address is
// probed once, however many interfaces hold it. Lives on the control thread.
class HeldEndpoints {
 public:
  // Addresses, each with the services that its agent is asked for; none where it is a provider's
  // own.
  using Addresses = std::map<std::string, std::set<std::string>>;
  // What a probe decided of an address, for each interface that holds it, and which services it
  // says are down.
  using Verdict = std::function<void(const std::string& interface, const std::string& address,
                                     bool is_alive, const std::set<std::string>& down)>;

  // All must outlive it.
  HeldEndpoints(Executor& executor, ProviderProbe& probe, RegistryMetrics& metrics,
                Verdict on_verdict)
      : executor_(executor), probe_(probe), metrics_(metrics), on_verdict_(std::move(on_verdict)) {}

  // What `interface` holds now, in place of what it held before.
  void set(const std::string& interface, Addresses addresses);
  std::size_t size() const { return endpoints_.size(); }

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Endpoint {
    std::map<std::string, std::set<std::string>> services;  // by interface, those asked for
    Backoff backoff{kFirstProbePause, kLongestProbePause};
    Time due;
    bool is_under_way = false;  // then it is not in queue_
    unsigned silent = 0;        // probes in a row
  };

  void add(const std::string& interface, const std::string& address,
           const std::set<std::string>& services);
  void remove(const std::string& interface, const std::string& address);
  void plan(const std::string& address, Endpoint& endpoint, std::chrono::milliseconds pause);
  void start_timer();
  // Starts the probes that are due, as many as the limits allow.
  void turn();
  void on_report(const std::string& address, const ProbeReport& report);

  Executor& executor_;
  ProviderProbe& probe_;
  RegistryMetrics& metrics_;
  const Verdict on_verdict_;
  Alive alive_;
  std::minstd_rand random_{std::random_device{}()};
  std::map<std::string, Addresses> by_interface_;
  std::map<std::string, Endpoint> endpoints_;  // by address
  std::set<std::pair<Time, std::string>> queue_;
  std::size_t under_way_ = 0;
  bool timer_runs_ = false;
};

}  // namespace skiff::registry
