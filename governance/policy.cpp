#include "governance/policy.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <utility>

namespace skiff::governance {
namespace {

constexpr std::uint64_t kForksMax = 16;
constexpr std::uint64_t kHashNodesMax = 1024;
constexpr std::uint64_t kHashArgumentMax = 64;
constexpr std::size_t kMethodsMax = 1024;  // of one URL; further ones have the service's policy

template <typename Value>
struct Named {
  std::string_view name;
  Value value;
};
// The first name of a value is the one that people are shown.
constexpr std::array kBalances{
    Named<LoadBalance>{"random", LoadBalance::kRandom},
    Named<LoadBalance>{"roundrobin", LoadBalance::kRoundRobin},
    Named<LoadBalance>{"leastactive", LoadBalance::kLeastActive},
    Named<LoadBalance>{"consistenthash", LoadBalance::kConsistentHash},
    Named<LoadBalance>{"shortestresponse", LoadBalance::kShortestResponse},
    Named<LoadBalance>{"p2c", LoadBalance::kP2c},
    Named<LoadBalance>{"adaptive", LoadBalance::kP2c}};
constexpr std::array kModes{Named<ClusterMode>{"failover", ClusterMode::kFailover},
                            Named<ClusterMode>{"failfast", ClusterMode::kFailfast},
                            Named<ClusterMode>{"failsafe", ClusterMode::kFailsafe},
                            Named<ClusterMode>{"failback", ClusterMode::kFailback},
                            Named<ClusterMode>{"forking", ClusterMode::kForking},
                            Named<ClusterMode>{"broadcast", ClusterMode::kBroadcast},
                            Named<ClusterMode>{"available", ClusterMode::kAvailable}};
constexpr std::array<std::string_view, 6> kKeys{"loadbalance", "cluster",        "forks",
                                                "sticky",      "hash.arguments", "hash.nodes"};

template <typename Value, std::size_t size>
Value by_name(const std::array<Named<Value>, size>& table, std::string_view name, Value fallback,
              std::string_view key, std::vector<std::string>& problems) {
  if (name.empty()) return fallback;
  const auto found = std::ranges::find(table, name, &Named<Value>::name);
  if (found != table.end()) return found->value;
  problems.push_back(std::string(key) + "=" + std::string(name) + " is not known; " +
                     std::string(name_of(fallback)) + " is used");
  return fallback;
}

std::vector<std::uint32_t> read_hash_arguments(std::string_view list) {
  std::vector<std::uint32_t> indices;
  while (!list.empty()) {
    const std::string_view item = list.substr(0, list.find(','));
    list.remove_prefix(std::min(item.size() + 1, list.size()));
    std::uint32_t index = 0;
    const auto [end, problem] = std::from_chars(item.data(), item.data() + item.size(), index);
    const bool is_index = problem == std::errc() && end == item.data() + item.size();
    if (is_index && index <= kHashArgumentMax) indices.push_back(index);
  }
  return indices;
}

// Reads "<prefix>loadbalance" and so on; what is not there is as in `fallback`.
Policy read_policy(const dubbo::Url& url, const std::string& prefix, const Policy& fallback,
                   std::vector<std::string>& problems) {
  Policy policy = fallback;
  const auto text = [&](std::string_view key) { return url.parameter(prefix + std::string(key)); };
  policy.balance.kind =
      by_name(kBalances, text("loadbalance"), policy.balance.kind, "loadbalance", problems);
  policy.mode = by_name(kModes, text("cluster"), policy.mode, "cluster", problems);
  policy.forks = std::max(
      static_cast<std::uint32_t>(url.number_parameter(prefix + "forks", policy.forks, kForksMax)),
      1U);
  if (!text("sticky").empty()) policy.sticky = text("sticky") == "true";
  if (!text("hash.arguments").empty()) {
    policy.balance.hash_arguments = read_hash_arguments(text("hash.arguments"));
  }
  policy.balance.hash_nodes =
      std::max(static_cast<std::uint32_t>(url.number_parameter(
                   prefix + "hash.nodes", policy.balance.hash_nodes, kHashNodesMax)),
               1U);
  return policy;
}

// "sayHello" for "sayHello.loadbalance"; empty for other keys.
std::string_view method_of(std::string_view key) {
  for (const std::string_view name : kKeys) {
    const bool is_longer = key.size() > name.size() + 1 && key.ends_with(name);
    if (!is_longer || key[key.size() - name.size() - 1] != '.') continue;
    return key.substr(0, key.size() - name.size() - 1);
  }
  return {};
}

}  // namespace

std::string_view name_of(LoadBalance kind) {
  return std::ranges::find(kBalances, kind, &Named<LoadBalance>::value)->name;
}

std::string_view name_of(ClusterMode mode) {
  return std::ranges::find(kModes, mode, &Named<ClusterMode>::value)->name;
}

const Policy& Policies::of(std::string_view method) const {
  const auto found = std::ranges::find(methods, method, &OfMethod::method);
  return found == methods.end() ? policy : found->policy;
}

// What Dubbo 2 writes for all services of a provider ("default.") counts where nothing else is
// said.
Policies read_policies(const dubbo::Url& url, std::vector<std::string>& problems) {
  Policies policies;
  policies.policy =
      read_policy(url, "", read_policy(url, "default.", Policy(), problems), problems);
  std::set<std::string_view> methods;
  for (const auto& [key, value] : url.parameters) {
    const std::string_view method = method_of(key);
    if (method.empty() || method == "default" || methods.size() >= kMethodsMax) continue;
    if (!methods.insert(method).second) continue;
    Policy policy = read_policy(url, std::string(method) + ".", policies.policy, problems);
    if (policy == policies.policy) continue;
    policies.methods.push_back({.method = std::string(method), .policy = std::move(policy)});
  }
  return policies;
}

}  // namespace skiff::governance
