#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dubbo/result.h"
#include "dubbo/service_key.h"
#include "registry/control_plane.h"

// The bodies of the verbs (docs/http-api.md), MOSN's included (protocol.md 3). Pure.
namespace skiff::agent {

enum class Verb { kPublish, kUnpublish, kSubscribe, kUnsubscribe, kStopping, kReady };

inline constexpr std::size_t kMaxServicesPerRequest = 1'000;

// One service of a body. Fields that a verb does not use are read and checked all the same.
struct ServiceRequest {
  dubbo::ServiceKey service;
  std::uint16_t port = 0;  // 0: none was given
  std::vector<std::string> methods;
  std::string application;
  std::map<std::string, std::string> parameters;
  std::optional<registry::RegistryName> registry;
  registry::HealthCheck check;
  std::optional<std::chrono::milliseconds> lease;
  std::vector<std::string> warnings;

  registry::PublicationRequest publication() const;
  registry::SubscriptionRequest subscription() const;
};

struct RequestBody {
  std::vector<ServiceRequest> services;  // at least one
  bool is_batch = false;                 // an array came: the answer has a result for each
  std::vector<std::string> warnings;     // about the body as a whole
};

// Reads {"service": {...}, "registry": {...}}, {"service": [{...}, ...], "registry": {...}}, or an
// array of the first form. Everything is checked before anything is returned, names and parameters
// included, so that a batch is either acceptable as a whole or refused. Fails with
// kInvalidArgument and a sentence that names the field, what came and what was expected.
Result<RequestBody> parse_request_body(Verb verb, std::string_view text);

}  // namespace skiff::agent
