#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dubbo/consumer_identity.h"
#include "dubbo/result.h"
#include "dubbo/url.h"

namespace skiff::governance {

// Configurators change parameters of providers' URLs (protocol.md 2, "Rules"; Dubbo's
// AbstractConfigurator, ConfigParser). Pure functions.
//
// Of several sources Dubbo applies, each in its own sorted order and a later one over an earlier
// one: first the URLs of the interface, then the document "<application>.configurators" of the
// consumer (for ConfiguratorTarget::Side::kProvider of the provider), then the interface's document
// "<interface>:<version>:<group>.configurators".

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
  // What they are sorted by.
  virtual const std::string& host() const = 0;
  virtual int priority() const = 0;
  // Changes `url` (a provider's) and returns true where it applies.
  virtual bool apply(const ConfiguratorTarget& target, dubbo::Url& url) const = 0;
};
using Configurators = std::vector<std::shared_ptr<const Configurator>>;

// More than these in one document are refused.
inline constexpr std::size_t kMaxConfiguratorsPerDocument = 10'000;
inline constexpr std::size_t kMaxParametersPerConfigurator = 200;

// Of a document "<key>.configurators"; `key` is the whole node's name. Sorted. Empty where it is
// not enabled. Fails with kMalformed and a sentence that names line and field, with kTooLarge over
// a limit. One that takes effect on nobody is left out: no `side`, `enabled: false`.
Result<Configurators> parse_configurators(const std::string& key, std::string_view yaml);
// Of a URL override:// or absent://; none where it takes effect on nobody: without parameters, not
// enabled, or a copy of a document that old clients read (compatible_config). Another protocol
// fails with kUnsupported.
Result<Configurators> parse_configurator_url(const dubbo::Url& url);
// The order in which Dubbo applies those of one source: by host, then by priority; so those for
// every host (0.0.0.0) come before those for one, which win. Equal ones stay as they are.
void sort_configurators(Configurators& configurators);

}  // namespace skiff::governance
