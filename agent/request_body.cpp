#include "agent/request_body.h"

#include <array>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "agent/durations.h"
#include "agent/json_fields.h"
#include "agent/registry_object.h"
#include "registry/limits.h"
#include "registry/provider_url.h"

namespace skiff::agent {
namespace {

using nlohmann::json;

Result<void> read_parameters(JsonFields& fields, ServiceRequest& request) {
  const json* value = fields.find("parameters");
  if (value == nullptr) return {};
  const std::string path = fields.path_of("parameters");
  if (!value->is_object()) return wrong_field(path, *value, "an object of strings");
  for (const auto& item : value->items()) {
    if (!item.value().is_string()) {
      return wrong_field(path + "." + std::string(item.key()), item.value(), "a string");
    }
    request.parameters.emplace(item.key(), item.value().get<std::string>());
  }
  return {};
}

// Leaves `target` as it is where the field is absent.
Result<void> read_duration(JsonFields& fields, const std::string& name,
                           std::chrono::milliseconds min, std::chrono::milliseconds max,
                           std::chrono::milliseconds& target) {
  const json* value = fields.find(name);
  if (value == nullptr) return {};
  if (value->is_string()) {
    const auto duration = parse_duration(value->get_ref<const std::string&>());
    if (duration && *duration >= min && *duration <= max) {
      target = *duration;
      return {};
    }
  }
  return wrong_field(fields.path_of(name), *value,
                     "a duration from " + format_duration(min) + " to " + format_duration(max) +
                         R"(, such as "500ms" or "2s")");
}

Result<void> read_count(JsonFields& fields, const std::string& name, unsigned& target) {
  auto count = fields.number(name, 1, registry::kChecksInARowMax, false);
  if (!count) return tl::unexpected<Error>(std::move(count.error()));
  target = static_cast<unsigned>(count->value_or(target));
  return {};
}

Result<void> read_check_type(JsonFields& fields, registry::HealthCheck::Type& target) {
  const json* value = fields.find("type");
  if (value == nullptr) return {};
  const auto type = value->is_string()
                        ? registry::health_check_type(value->get_ref<const std::string&>())
                        : std::nullopt;
  if (type) {
    target = *type;
    return {};
  }
  return wrong_field(fields.path_of("type"), *value, R"("dubbo", "tcp" or "none")");
}

Result<void> read_check(JsonFields& service, ServiceRequest& request) {
  const json* value = service.find("check");
  if (value == nullptr) return {};
  if (!value->is_object()) return wrong_field(service.path_of("check"), *value, "an object");
  JsonFields fields(*value, service.path_of("check"));
  registry::HealthCheck& check = request.check;
  auto read = read_check_type(fields, check.type)
                  .and_then([&] {
                    return read_duration(fields, "interval", registry::kCheckIntervalMin,
                                         registry::kCheckIntervalMax, check.interval);
                  })
                  .and_then([&] {
                    return read_duration(fields, "timeout", registry::kCheckTimeoutMin,
                                         registry::kCheckTimeoutMax, check.timeout);
                  })
                  .and_then([&] { return read_count(fields, "failures", check.failures); })
                  .and_then([&] { return read_count(fields, "successes", check.successes); });
  if (read) fields.warn_of_unknown(request.warnings);
  return read;
}

Result<void> read_lease(JsonFields& service, ServiceRequest& request) {
  if (service.find("lease") == nullptr) return {};
  std::chrono::milliseconds lease{};
  auto read = read_duration(service, "lease", registry::kLeaseMin, registry::kLeaseMax, lease);
  if (read) request.lease = lease;
  return read;
}

Result<void> read_text(JsonFields& fields, const std::string& name, std::string& target) {
  auto text = fields.text(name);
  if (!text) return tl::unexpected<Error>(std::move(text.error()));
  target = std::move(*text);
  return {};
}

Result<void> read_interface(JsonFields& fields, ServiceRequest& request) {
  if (fields.find("interface") == nullptr) {
    return missing_field(fields.path_of("interface"),
                         "the name of an interface, such as \"com.example.DemoService\"");
  }
  return read_text(fields, "interface", request.service.interface);
}

Result<void> read_port(JsonFields& fields, ServiceRequest& request) {
  auto port = fields.number("port", 1, 65535, true);
  if (!port) return tl::unexpected<Error>(std::move(port.error()));
  request.port = static_cast<std::uint16_t>(port->value_or(0));
  return {};
}

Result<void> read_methods(JsonFields& fields, ServiceRequest& request) {
  auto methods = fields.texts("methods");
  if (!methods) return tl::unexpected<Error>(std::move(methods.error()));
  request.methods = std::move(*methods);
  return {};
}

Result<ServiceRequest> read_service(const json& value, const std::string& path) {
  if (!value.is_object()) return wrong_field(path, value, "an object with the field interface");
  ServiceRequest request;
  JsonFields fields(value, path);
  fields.skip("name");  // MOSN's SDKs send it
  auto read = read_interface(fields, request)
                  .and_then([&] { return read_text(fields, "group", request.service.group); })
                  .and_then([&] { return read_text(fields, "version", request.service.version); })
                  .and_then([&] { return read_text(fields, "application", request.application); })
                  .and_then([&] { return read_port(fields, request); })
                  .and_then([&] { return read_methods(fields, request); })
                  .and_then([&] { return read_parameters(fields, request); })
                  .and_then([&] { return read_check(fields, request); })
                  .and_then([&] { return read_lease(fields, request); });
  if (!read) return tl::unexpected<Error>(std::move(read.error()));
  request.service.version = std::string(dubbo::normalized_version(request.service.version));
  fields.warn_of_unknown(request.warnings);
  return request;
}

// What the control plane would refuse is refused before any service of the body is acted on.
Result<void> check_names(Verb verb, const ServiceRequest& request) {
  const registry::UrlContext context{
      .host = "127.0.0.1", .port = 1, .application = "skiff", .timestamp_ms = 0, .pid = 0};
  const bool is_publication = verb != Verb::kSubscribe && verb != Verb::kUnsubscribe;
  auto built = is_publication ? registry::build_provider_url(request.publication(), context)
                              : registry::build_consumer_url(request.subscription(), context);
  if (!built) return tl::unexpected<Error>(std::move(built.error()));
  return {};
}

// The objects of `service`, with what error sentences call each.
struct NamedValue {
  const json* value;
  std::string path;
};

class BodyReader {
 public:
  explicit BodyReader(Verb verb) : verb_(verb) {}

  Result<RequestBody> read(const json& root) {
    Result<void> read = root.is_array() ? read_bodies(root) : read_body(root, "");
    if (!read) return tl::unexpected<Error>(std::move(read.error()));
    return std::move(body_);
  }

 private:
  static Result<void> check_length(const json& array, const std::string& path) {
    if (!array.empty() && array.size() <= kMaxServicesPerRequest) return {};
    return fail(ErrorCode::kInvalidArgument,
                path + ": came an array of " + std::to_string(array.size()) + ", expected 1 to " +
                    std::to_string(kMaxServicesPerRequest) + " services");
  }

  Result<void> read_bodies(const json& array) {
    body_.is_batch = true;
    if (auto checked = check_length(array, "body"); !checked) return checked;
    for (std::size_t i = 0; i < array.size(); ++i) {
      if (auto read = read_body(array[i], "[" + std::to_string(i) + "]"); !read) return read;
    }
    return {};
  }

  Result<void> read_body(const json& value, const std::string& path) {
    if (!value.is_object()) {
      return wrong_field(path.empty() ? "body" : path, value, "an object with the field service");
    }
    JsonFields fields(value, path);
    auto registry = read_registry(fields, body_.warnings);
    if (!registry) return tl::unexpected<Error>(std::move(registry.error()));
    const json* service = fields.find("service");
    const std::string service_path = fields.path_of("service");
    if (service == nullptr) return missing_field(service_path, "an object or an array");
    fields.warn_of_unknown(body_.warnings);

    const bool is_array = service->is_array() && path.empty();
    if (!is_array) return add_service(*service, service_path, *registry);
    body_.is_batch = true;
    if (auto checked = check_length(*service, service_path); !checked) return checked;
    for (std::size_t i = 0; i < service->size(); ++i) {
      const std::string item_path = service_path + "[" + std::to_string(i) + "]";
      if (auto added = add_service((*service)[i], item_path, *registry); !added) return added;
    }
    return {};
  }

  Result<void> add_service(const json& value, const std::string& path,
                           const std::optional<registry::RegistryName>& registry) {
    auto request = read_service(value, path);
    if (!request) return tl::unexpected<Error>(std::move(request.error()));
    request->registry = registry;
    if (auto checked = check_names(verb_, *request); !checked) {
      // The sentence speaks of "service"; in a batch it must say which.
      const std::string which = path == "service" ? "" : path + ": ";
      return fail(checked.error().code, which + checked.error().message);
    }
    body_.services.push_back(std::move(*request));
    return {};
  }

  Verb verb_;
  RequestBody body_;
};

}  // namespace

registry::PublicationRequest ServiceRequest::publication() const {
  return {.service = service,
          .port = port,
          .methods = methods,
          .application = application,
          .parameters = parameters,
          .registry = registry,
          .check = check,
          .lease = lease};
}

registry::SubscriptionRequest ServiceRequest::subscription() const {
  return {.service = service,
          .application = application,
          .parameters = parameters,
          .registry = registry};
}

Result<RequestBody> parse_request_body(Verb verb, std::string_view text) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return fail(ErrorCode::kInvalidArgument,
                R"(body: came nothing, expected {"service": {"interface": ...}})");
  }
  const auto root = parse_json(text);
  if (!root) return tl::unexpected<Error>(root.error());
  return BodyReader(verb).read(*root);
}

}  // namespace skiff::agent
