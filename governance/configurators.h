#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dubbo/consumer_identity.h"
#include "dubbo/result.h"
#include "dubbo/url.h"

namespace skiff::governance {

// Configurators change parameters of providers' URLs (protocol.md 2, "Rules"; Dubbo's
// AbstractConfigurator, ConfigParser). Pure functions.

// For whom a provider's URL is worked out: a consumer that calls it, or the provider itself, whose
// URL is about to be registered.
struct ConfiguratorTarget {
  enum class Side { kConsumer, kProvider };
  Side side = Side::kConsumer;
  const dubbo::ConsumerIdentity* consumer = nullptr;  // of kConsumer
};

// One configurator; immutable.
class Configurator {
 public:
  virtual ~Configurator() = default;
  // For people, a line: "configurator a.Demo::.configurators, configs[0]".
  virtual const std::string& name() const = 0;
  // Changes `url` (a provider's) and returns true where it applies.
  virtual bool apply(const ConfiguratorTarget& target, dubbo::Url& url) const = 0;
};
using Configurators = std::vector<std::shared_ptr<const Configurator>>;

// Of a document "<key>.configurators"; `key` is the whole node's name. Empty where it is not
// enabled. Fails with kMalformed and a sentence that names line and field.
Result<Configurators> parse_configurators(const std::string& key, std::string_view yaml);
// Of a URL override:// or absent://. A configurator that takes effect on nobody is left out.
Result<Configurators> parse_configurator_url(const dubbo::Url& url);
// The order in which Dubbo applies those of one source: by host, then by priority.
void sort_configurators(Configurators& configurators);

}  // namespace skiff::governance
