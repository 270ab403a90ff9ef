#pragma once

#include <chrono>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "forwarder/outbound/balancing/balancer.h"
#include "forwarder/outbound/endpoint.h"

namespace skiff::forwarder::testing {

constexpr auto kAnyone = [](std::size_t) { return true; };

// A cluster whose members are chosen from, without connections. Providers are 10.0.0.1:20880,
// 10.0.0.2:20880, and so on.
class BalancerStage {
 public:
  explicit BalancerStage(std::initializer_list<std::uint32_t> weights)
      : BalancerStage(std::vector<std::uint32_t>(weights)) {}
  explicit BalancerStage(const std::vector<std::uint32_t>& weights) {
    for (const std::uint32_t weight : weights) add("10.0.0." + std::to_string(size() + 1), weight);
  }

  void add(const std::string& host, std::uint32_t weight) {
    governance::ProviderEndpoint provider;
    provider.host = host;
    provider.port = 20880;
    provider.weight = weight;
    providers.push_back(provider);
    owned_.push_back(
        std::make_unique<Endpoint>(host + ":20880", SocketAddress::parse(host, 20880)));
    endpoints.push_back(owned_.back().get());
  }

  std::size_t size() const { return providers.size(); }
  std::vector<std::uint32_t> all() const {
    std::vector<std::uint32_t> members(size());
    std::iota(members.begin(), members.end(), 0U);
    return members;
  }
  std::unique_ptr<Balancer> make(governance::LoadBalance kind) { return make(kind, all()); }
  std::unique_ptr<Balancer> make(governance::LoadBalance kind, std::vector<std::uint32_t> members) {
    governance::BalancePolicy policy;
    policy.kind = kind;
    return make_balancer(policy, providers, endpoints, std::move(members));
  }

  std::optional<std::size_t> pick(Balancer& balancer, Usable usable = kAnyone) {
    return balancer.pick({.now = now, .random = random}, usable);
  }
  // How often each provider of the cluster is chosen.
  std::vector<int> count(Balancer& balancer, int rounds, Usable usable = kAnyone) {
    std::vector<int> counts(size(), 0);
    for (int i = 0; i < rounds; ++i) ++counts.at(pick(balancer, usable).value());
    return counts;
  }

  void put_in_flight(std::size_t provider, int requests) {
    for (int i = 0; i < requests; ++i) endpoints[provider]->load.note_sent();
  }
  void note_answer(std::size_t provider, std::chrono::nanoseconds took) {
    endpoints[provider]->load.note_answer_time(took, now);
  }

  std::vector<governance::ProviderEndpoint> providers;
  std::vector<Endpoint*> endpoints;
  RandomSource random{20261127};
  TimePoint now = Clock::now();

 private:
  std::vector<std::unique_ptr<Endpoint>> owned_;
};

// Whether counts may come from these probabilities: a chi-square test that a true distribution
// fails once in 10,000 seeds. What has the probability 0 must not come up.
inline bool follow(const std::vector<int>& counts, const std::vector<double>& shares) {
  if (counts.size() != shares.size()) return false;
  const double rounds = std::accumulate(counts.begin(), counts.end(), 0.0);
  double chi_square = 0;
  int possible = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double expected = shares[i] * rounds;
    if (shares[i] == 0) {
      if (counts[i] != 0) return false;
      continue;
    }
    chi_square += (counts[i] - expected) * (counts[i] - expected) / expected;
    ++possible;
  }
  if (possible < 2) return true;
  // Wilson and Hilferty's approximation of the quantile.
  const double freedom = possible - 1;
  constexpr double kNormalQuantile = 3.719;
  const double spread = 2 / (9 * freedom);
  return chi_square < freedom * std::pow(1 - spread + kNormalQuantile * std::sqrt(spread), 3);
}

}  // namespace skiff::forwarder::testing
