#pragma once

#include <span>
#include <string>
#include <vector>

#include "dubbo/consumer_identity.h"
#include "dubbo/url.h"
#include "governance/configurators.h"

namespace skiff::governance {

// What a consumer makes of a provider's URL (Dubbo's RegistryDirectory.mergeUrl and
// DefaultProviderURLMergeProcessor): the provider's parameters, over them those of the consumer's
// subscription, over those what the configurators say, in the order given.
//
// The provider keeps what tells it apart, whatever the subscription says: group, version,
// interface, application, side, methods, timestamp, dubbo, release, generic, dubbo.tag, token, and
// what it says of its own threads. (Dubbo puts the consumer's application and side there; routers
// ask for the provider's. Configurators see the consumer's all the same.)
dubbo::Url effective_provider_url(const dubbo::Url& provider,
                                  const dubbo::ConsumerIdentity& consumer,
                                  std::span<const Configurators::value_type> configurators);

// Where the value of a parameter came from, for people who ask.
struct ValueSource {
  std::string parameter;  // "timeout", "sayHello.timeout"
  std::string value;
  std::string source;  // "provider URL", "subscription", or the configurator's name

  bool operator==(const ValueSource&) const = default;
};
// Of those parameters of effective_provider_url() that governance reads; sorted by parameter.
std::vector<ValueSource> value_sources(const dubbo::Url& provider,
                                       const dubbo::ConsumerIdentity& consumer,
                                       std::span<const Configurators::value_type> configurators);

}  // namespace skiff::governance
