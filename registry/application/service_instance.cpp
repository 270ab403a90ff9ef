#include "registry/application/service_instance.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "registry/application/application_names.h"
#include "registry/application/json_text.h"
#include "registry/limits.h"

namespace skiff::registry {
namespace {

// Revision of an application that exports nothing (RevisionResolver.EMPTY_REVISION).
constexpr std::string_view kEmptyRevision = "0";

// "[{"port":20880,"protocol":"dubbo"},...]", itself a string in the metadata.
std::uint16_t dubbo_endpoint(const std::string& text) {
  const auto endpoints = parse_json_object(R"({"all":)" + text + "}");
  if (!endpoints) return 0;
  for (const nlohmann::json& endpoint : json_member(*endpoints, "all")) {
    if (json_text(endpoint, "protocol") == "dubbo") return json_port(endpoint, "port");
  }
  return 0;
}

// {"version":"1.0.0","protocol":"dubbo","port":"20880",...}; where there is none, the instance's
// own port is asked (StandardMetadataServiceURLBuilder).
void read_metadata_service(const std::string& text, ServiceInstance& instance) {
  if (text.empty()) {
    instance.metadata_port = instance.port;
    return;
  }
  const auto parameters = parse_json_object(text);
  if (!parameters || json_text(*parameters, "protocol") != "dubbo") return;
  instance.metadata_port = json_port(*parameters, "port");
  if (auto version = json_text(*parameters, "version"); !version.empty()) {
    instance.metadata_version = std::move(version);
  }
}

}  // namespace

Result<ServiceInstance> parse_service_instance(std::string_view text) {
  if (text.size() > kMaxInstanceBytes) {
    return fail(ErrorCode::kTooLarge, std::to_string(text.size()) + " bytes: expected at most " +
                                          std::to_string(kMaxInstanceBytes));
  }
  const auto json = parse_json_object(text);
  if (!json) return fail(ErrorCode::kMalformed, "not a JSON object");
  ServiceInstance instance;
  instance.host = json_text(*json, "address");
  instance.port = json_port(*json, "port");
  if (instance.host.empty()) return fail(ErrorCode::kMalformed, "it has no address");

  const nlohmann::json& metadata = json_member(json_member(*json, "payload"), "metadata");
  instance.dubbo_port = dubbo_endpoint(json_text(metadata, "dubbo.endpoints"));
  instance.revision = json_text(metadata, "dubbo.metadata.revision");
  if (instance.revision == kEmptyRevision || !is_path_part(instance.revision)) {
    instance.revision.clear();
  }
  if (json_text(metadata, "dubbo.metadata.storage-type") == "remote") {
    instance.storage = ServiceInstance::Storage::kRemote;
  }
  read_metadata_service(json_text(metadata, "dubbo.metadata-service.url-params"), instance);
  instance.parameters = json_texts(metadata);
  std::erase_if(instance.parameters, [](const auto& parameter) {
    return parameter.first.starts_with("dubbo.") && parameter.first != "dubbo.tag";
  });
  return instance;
}

}  // namespace skiff::registry
