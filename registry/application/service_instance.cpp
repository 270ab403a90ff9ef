#include "registry/application/service_instance.h"

#include <charconv>
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

std::int64_t timestamp_of(const ServiceInstance& instance) {
  const auto found = instance.parameters.find("timestamp");
  std::int64_t timestamp = 0;
  if (found != instance.parameters.end()) {
    const std::string& text = found->second;
    std::from_chars(text.data(), text.data() + text.size(), timestamp);
  }
  return timestamp;
}

nlohmann::json metadata_of(const ServiceInstance& instance) {
  nlohmann::json metadata = instance.parameters;
  const nlohmann::json endpoint = {{"port", instance.dubbo_port}, {"protocol", "dubbo"}};
  metadata["dubbo.endpoints"] = dump_json(nlohmann::json::array({endpoint}));
  metadata["dubbo.metadata.revision"] = instance.revision;
  const bool is_remote = instance.storage == ServiceInstance::Storage::kRemote;
  metadata["dubbo.metadata.storage-type"] = is_remote ? "remote" : "local";
  return metadata;
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

// "@class" tells Curator which class to read the payload as; it sorts before the other members.
std::string service_instance_json(const std::string& application, const ServiceInstance& instance) {
  const std::string id = ServiceInstance::node_name(instance.host, instance.port);
  nlohmann::json payload = {{"@class", "org.apache.dubbo.registry.zookeeper.ZookeeperInstance"},
                            {"id", id},
                            {"name", application},
                            {"metadata", metadata_of(instance)}};
  return dump_json({{"name", application},
                    {"id", id},
                    {"address", instance.host},
                    {"port", instance.port},
                    {"sslPort", nullptr},
                    {"payload", std::move(payload)},
                    {"registrationTimeUTC", timestamp_of(instance)},
                    {"serviceType", "DYNAMIC"},
                    {"uriSpec", nullptr}});
}

}  // namespace skiff::registry
