#include "registry/application/metadata_info.h"

#include <md5.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>

#include "dubbo/service_key.h"
#include "registry/application/json_text.h"
#include "registry/limits.h"

namespace skiff::registry {
namespace {

std::size_t bytes_of(const ServiceInfo& service) {
  constexpr std::size_t kNode = 64;  // of a map, beside its texts
  std::size_t bytes = sizeof(service) + service.interface.size() + service.group.size() +
                      service.version.size() + service.path.size();
  for (const auto& [key, value] : service.parameters) bytes += kNode + key.size() + value.size();
  return bytes;
}

// 32 lower-case hexadecimal digits. libmd, since OpenSSL has no MD5 where FIPS is enforced.
std::string md5_hex(const std::string& text) {
  std::array<char, MD5_DIGEST_STRING_LENGTH> digits{};
  MD5Data(reinterpret_cast<const std::uint8_t*>(text.data()), text.size(), digits.data());
  return digits.data();
}

bool is_usable(const ServiceInfo& service) {
  constexpr std::size_t kMaxUrlBytes = std::size_t{64} * 1024;  // as dubbo::Url::parse() has it
  return service.protocol == "dubbo" && !service.interface.empty() &&
         bytes_of(service) <= kMaxUrlBytes;
}

ServiceInfo read_service(const nlohmann::json& json) {
  return {.interface = json_text(json, "name"),
          .group = json_text(json, "group"),
          .version = json_text(json, "version"),
          .protocol = json_text(json, "protocol"),
          .port = json_port(json, "port"),
          .path = json_text(json, "path"),
          .parameters = json_texts(json_member(json, "params"))};
}

std::map<std::string, const ServiceInfo*> by_key(const std::vector<ServiceInfo>& services) {
  std::map<std::string, const ServiceInfo*> sorted;
  for (const ServiceInfo& service : services) sorted[service.key()] = &service;
  return sorted;
}

// As Java's TreeMap shows itself: "{a=1, b=2}".
std::string java_text(const std::map<std::string, std::string, std::less<>>& parameters) {
  std::string text = "{";
  for (const auto& [key, value] : parameters) {
    if (text.size() > 1) text += ", ";
    text.append(key).append("=").append(value);
  }
  return text + '}';
}

struct ByInterface {
  bool operator()(const ServiceInfo& service, std::string_view interface) const {
    return service.interface < interface;
  }
  bool operator()(std::string_view interface, const ServiceInfo& service) const {
    return interface < service.interface;
  }
};

}  // namespace

std::string ServiceInfo::key() const {
  const std::string service = dubbo::ServiceKey{interface, group, version}.to_string();
  return protocol.empty() ? service : service + ':' + protocol;
}

MetadataInfo::MetadataInfo(std::vector<ServiceInfo> services) : services_(std::move(services)) {
  std::erase_if(services_, [](const ServiceInfo& service) { return !is_usable(service); });
  std::stable_sort(services_.begin(), services_.end(), [](const auto& left, const auto& right) {
    return left.interface < right.interface;
  });
  for (const ServiceInfo& service : services_) bytes_ += bytes_of(service);
}

std::span<const ServiceInfo> MetadataInfo::services_of(std::string_view interface) const {
  const auto [first, last] =
      std::equal_range(services_.begin(), services_.end(), interface, ByInterface());
  return {first, last};
}

Result<MetadataInfo> parse_metadata_json(std::string_view text, std::string_view revision) {
  if (text.size() > kMaxMetadataBytes) {
    return fail(ErrorCode::kTooLarge, std::to_string(text.size()) + " bytes: expected at most " +
                                          std::to_string(kMaxMetadataBytes));
  }
  const auto json = parse_json_object(text);
  if (!json) return fail(ErrorCode::kMalformed, "not a JSON object");
  const std::string came = json_text(*json, "revision");
  if (!came.empty() && came != revision) return wrong_revision(came, revision);
  const nlohmann::json& all = json_member(*json, "services");
  if (!all.is_object()) return fail(ErrorCode::kMalformed, "it has no services");
  if (all.size() > kMaxServicesOfApplication) return too_many_services(all.size());
  std::vector<ServiceInfo> services;
  services.reserve(all.size());
  for (const nlohmann::json& service : all) services.push_back(read_service(service));
  return MetadataInfo(std::move(services));
}

std::string metadata_revision(const std::string& application,
                              const std::vector<ServiceInfo>& services) {
  if (services.empty()) return "0";
  std::string all = application;
  for (const auto& [key, service] : by_key(services)) {
    all += key + std::to_string(service->port) + service->path + java_text(service->parameters);
  }
  return md5_hex(all);
}

std::string metadata_json(const std::string& application, const std::string& revision,
                          const std::vector<ServiceInfo>& services) {
  nlohmann::json all = nlohmann::json::object();
  for (const auto& [key, service] : by_key(services)) {
    nlohmann::json& json = all[key];
    json = {{"name", service->interface},
            {"protocol", service->protocol},
            {"port", service->port},
            {"path", service->path},
            {"params", service->parameters}};
    if (!service->group.empty()) json["group"] = service->group;
    if (!service->version.empty()) json["version"] = service->version;
  }
  return dump_json({{"app", application}, {"revision", revision}, {"services", std::move(all)}});
}

tl::unexpected<Error> wrong_revision(std::string_view came, std::string_view expected) {
  constexpr std::size_t kMaxShown = 64;
  return fail(ErrorCode::kInvalidArgument, "it is of revision " +
                                               std::string(came.substr(0, kMaxShown)) +
                                               ", asked was for " + std::string(expected));
}

tl::unexpected<Error> too_many_services(std::size_t came) {
  return fail(ErrorCode::kTooLarge, std::to_string(came) + " services: expected at most " +
                                        std::to_string(kMaxServicesOfApplication));
}

}  // namespace skiff::registry
