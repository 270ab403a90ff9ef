// Input: a configurator. Its first byte chooses what the rest is: '0' the text of a document, else
// of a URL.

#include <algorithm>
#include <array>
#include <string>

#include "governance/configurators.h"
#include "governance/effective_url.h"
#include "property.h"

namespace skiff::governance {
namespace {

const std::array<dubbo::Url, 2>& providers() {
  static const std::array<dubbo::Url, 2> kProviders = {
      dubbo::Url::parse("dubbo://10.0.0.5:20882/com.foo.Bar?application=demo-provider&group=g&"
                        "interface=com.foo.Bar&side=provider&skiff.port=20880&version=1.0")
          .value(),
      dubbo::Url::parse("dubbo://[2001:db8::5]:20880/com.foo.Bar?timeout=1000&zone=hz").value()};
  return kProviders;
}

void check_error(const Error& error) {
  SKIFF_PROPERTY(!error.message.empty());
  SKIFF_PROPERTY(error.code == ErrorCode::kMalformed || error.code == ErrorCode::kTooLarge ||
                 error.code == ErrorCode::kUnsupported);
}

// Configurators change parameters, and none that tells services or providers apart.
void check_same_provider(const dubbo::Url& before, const dubbo::Url& after) {
  SKIFF_PROPERTY(before.service_key() == after.service_key());
  SKIFF_PROPERTY(before.address() == after.address());
  SKIFF_PROPERTY(before.parameter("skiff.port") == after.parameter("skiff.port"));
  SKIFF_PROPERTY(before.parameter("application") == after.parameter("application"));
  SKIFF_PROPERTY(before.parameters.size() <= after.parameters.size());
}

void check_configurators(const Configurators& configurators) {
  SKIFF_PROPERTY(std::is_sorted(
      configurators.begin(), configurators.end(),
      [](const auto& one, const auto& other) { return one->host() < other->host(); }));
  const dubbo::ConsumerIdentity consumer{
      .application = "demo-consumer", .host = "10.9.0.1", .parameters = {{"retries", "1"}}};
  for (const dubbo::Url& provider : providers()) {
    const dubbo::Url effective = effective_provider_url(provider, consumer, configurators);
    check_same_provider(provider, effective);
    for (const ValueSource& one : value_sources(provider, consumer, configurators)) {
      SKIFF_PROPERTY(one.value == effective.parameters.at(one.parameter));
    }
    dubbo::Url registered = provider;
    for (const auto& one : configurators) {
      one->apply({.side = ConfiguratorTarget::Side::kProvider}, registered);
    }
    check_same_provider(provider, registered);
  }
}

int check(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  Result<Configurators> configurators;
  if (data[0] == '0') {
    configurators = parse_configurators("com.foo.Bar:1.0:g.configurators", text);
  } else if (const auto url = dubbo::Url::parse(text)) {
    configurators = parse_configurator_url(*url);
  }
  if (configurators) {
    check_configurators(*configurators);
  } else {
    check_error(configurators.error());
  }
  return 0;
}

}  // namespace
}  // namespace skiff::governance

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return skiff::governance::check(data, size);
}
