#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dubbo/real_port.h"
#include "dubbo/result.h"
#include "dubbo/service_key.h"
#include "dubbo/url.h"
#include "registry/control_plane.h"

// The URLs that we write into registries, with the parameters that stock consumers need. Pure
// functions.
namespace skiff::registry {

// What a URL says about the agent rather than about the request.
struct UrlContext {
  std::string host;               // numeric, as advertised
  std::uint16_t port = 0;         // as advertised; consumers have none
  std::string application;        // where the request names none
  std::int64_t timestamp_ms = 0;  // Unix time; no two URLs of a process in one registry share it
  int pid = 0;
};

struct BuiltUrl {
  dubbo::Url url;
  std::vector<std::string> warnings;  // sentences about parameters that were left out
};

// Interface names, from the API and from the wire: 1..256 of A-Z a-z 0-9 _ $ . -
bool is_interface_name(std::string_view name);

// The provider URL of `request`, whose port must not be 0 any more. Fails with kInvalidArgument
// and a sentence that names the field where a name, method or parameter is not one that every
// stock client reads back unchanged, where group or version is a pattern, and where a parameter
// contradicts what the agent writes itself.
Result<BuiltUrl> build_provider_url(const PublicationRequest& request, const UrlContext& context);

// The consumer URL of `request`, which consoles show. Group and version may be patterns. Fails as
// above.
Result<BuiltUrl> build_consumer_url(const SubscriptionRequest& request, const UrlContext& context);

}  // namespace skiff::registry
