// Input: the body of a POST to the API. Its first byte chooses the verb.

#include <nlohmann/json.hpp>
#include <string>

#include "agent/json_fields.h"
#include "agent/request_body.h"
#include "property.h"

namespace skiff::agent {
namespace {

// The body that says what was read from another one.
std::string rewritten(const RequestBody& body) {
  nlohmann::json services = nlohmann::json::array();
  for (const ServiceRequest& request : body.services) {
    nlohmann::json service = {
        {"interface", request.service.interface}, {"group", request.service.group},
        {"version", request.service.version},     {"methods", request.methods},
        {"application", request.application},     {"parameters", request.parameters}};
    if (request.port != 0) service["port"] = request.port;
    services.push_back(std::move(service));
  }
  return to_text(nlohmann::json{{"service", services}});
}

void check_body(Verb verb, const RequestBody& body) {
  SKIFF_PROPERTY(!body.services.empty());
  SKIFF_PROPERTY(body.services.size() <= kMaxServicesPerRequest);
  SKIFF_PROPERTY(body.is_batch || body.services.size() == 1);
  const auto again = parse_request_body(verb, rewritten(body));
  SKIFF_PROPERTY(again.has_value());
  SKIFF_PROPERTY(again->services.size() == body.services.size());
  for (std::size_t i = 0; i < body.services.size(); ++i) {
    const ServiceRequest& left = body.services[i];
    const ServiceRequest& right = again->services[i];
    SKIFF_PROPERTY(left.service == right.service && left.port == right.port);
    SKIFF_PROPERTY(left.methods == right.methods && left.parameters == right.parameters);
    SKIFF_PROPERTY(right.warnings.empty());
  }
}

int check(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto verb = static_cast<Verb>(data[0] % 4);
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto body = parse_request_body(verb, text);
  if (body) {
    check_body(verb, *body);
  } else {
    SKIFF_PROPERTY(!body.error().message.empty());
    SKIFF_PROPERTY(body.error().code == ErrorCode::kInvalidArgument);
  }
  return 0;
}

}  // namespace
}  // namespace skiff::agent

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return skiff::agent::check(data, size);
}
