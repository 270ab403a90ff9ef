#include "governance/effective_url.h"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

#include "dubbo/real_port.h"

namespace skiff::governance {
namespace {

// Sorted.
constexpr std::array<std::string_view, 22> kOfTheProvider = {
    "alive",      "application", "corethreads",       "dubbo",      "dubbo.tag",
    "generic",    "group",       "interface",         "methods",    "queues",
    "release",    "side",        "skiff.in-clusters", "skiff.port", "threadname",
    "threadpool", "threads",     "timestamp",         "token",      "transporter",
    "version",    "zone",
};
static_assert(std::ranges::is_sorted(kOfTheProvider));
static_assert(std::ranges::binary_search(kOfTheProvider, dubbo::kRealPortParameter));

// Each also as "<method>.<parameter>".
constexpr std::array<std::string_view, 13> kReadByGovernance = {
    "cluster",     "disabled", "dubbo.tag", "enabled", "forks",  "hash.arguments", "hash.nodes",
    "loadbalance", "retries",  "sticky",    "timeout", "warmup", "weight"};

bool is_read_by_governance(std::string_view key) {
  return std::ranges::any_of(kReadByGovernance, [key](std::string_view known) {
    if (!key.ends_with(known)) return false;
    return key.size() == known.size() ||
           (key.size() > known.size() + 1 && key[key.size() - known.size() - 1] == '.');
  });
}

void merge_subscription(const dubbo::ConsumerIdentity& consumer, dubbo::Url& url) {
  for (const auto& [key, value] : consumer.parameters) {
    if (value.empty() || std::ranges::binary_search(kOfTheProvider, key)) continue;
    url.parameters.insert_or_assign(key, value);
  }
}

// Which value came from where, as the URL grows.
class Sources {
 public:
  // What is in `url` now and was not before came from `source`.
  void note(const dubbo::Url& url, std::string_view source) {
    for (const auto& [key, value] : url.parameters) {
      if (!is_read_by_governance(key)) continue;
      ValueSource& known = by_parameter_[key];
      if (!known.source.empty() && known.value == value) continue;
      known = {.parameter = key, .value = value, .source = std::string(source)};
    }
  }

  std::vector<ValueSource> take() {
    std::vector<ValueSource> all;
    for (auto& [key, one] : by_parameter_) all.push_back(std::move(one));
    return all;
  }

 private:
  std::map<std::string, ValueSource> by_parameter_;
};

}  // namespace

dubbo::Url effective_provider_url(const dubbo::Url& provider,
                                  const dubbo::ConsumerIdentity& consumer,
                                  std::span<const Configurators::value_type> configurators) {
  dubbo::Url url = provider;
  merge_subscription(consumer, url);
  const ConfiguratorTarget target{.side = ConfiguratorTarget::Side::kConsumer,
                                  .consumer = &consumer};
  for (const auto& configurator : configurators) configurator->apply(target, url);
  return url;
}

std::vector<ValueSource> value_sources(const dubbo::Url& provider,
                                       const dubbo::ConsumerIdentity& consumer,
                                       std::span<const Configurators::value_type> configurators) {
  dubbo::Url url = provider;
  Sources sources;
  sources.note(url, "provider URL");
  merge_subscription(consumer, url);
  sources.note(url, "subscription");
  const ConfiguratorTarget target{.side = ConfiguratorTarget::Side::kConsumer,
                                  .consumer = &consumer};
  for (const auto& configurator : configurators) {
    if (configurator->apply(target, url)) sources.note(url, configurator->name());
  }
  return sources.take();
}

}  // namespace skiff::governance
