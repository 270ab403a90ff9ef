#include "registry/provider_url.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "registry/limits.h"
#include "registry/weight_steps.h"

namespace skiff::registry {
namespace {

using Parameters = std::map<std::string, std::string, std::less<>>;

// The release that we say we are: one that 2.7 and 3.x consumers treat as modern.
constexpr std::string_view kRelease = "3.2.0";
constexpr std::string_view kProtocolVersion = "2.0.2";

tl::unexpected<Error> wrong(std::string message) {
  return fail(ErrorCode::kInvalidArgument, std::move(message));
}

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_control(char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }

// Parameters are not escaped one by one, so these would cut a URL apart.
std::string_view first_forbidden(std::string_view text, std::string_view forbidden) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_control(text[i]) || forbidden.find(text[i]) != std::string_view::npos) {
      return text.substr(i, 1);
    }
  }
  return {};
}

std::string shown_character(char c) {
  if (!is_control(c)) return std::string("\"") + c + '"';
  return "the control character " + std::to_string(static_cast<int>(static_cast<unsigned char>(c)));
}

// Sent values are cut in messages: they come from anybody.
std::string quoted(std::string_view text) {
  constexpr std::size_t kMaxShown = 100;
  return '"' + std::string(text.substr(0, kMaxShown)) + (text.size() > kMaxShown ? "...\"" : "\"");
}

bool is_blank(char c) { return c == ' '; }

Result<void> check_text(const std::string& field, std::string_view text,
                        std::string_view forbidden = "&=?%+") {
  if (const std::string_view found = first_forbidden(text, forbidden); !found.empty()) {
    return wrong(field + " " + quoted(text) + " holds " + shown_character(found[0]) +
                 ", which cuts registry URLs apart");
  }
  if (!text.empty() && (is_blank(text.front()) || is_blank(text.back()))) {
    return wrong(field + " " + quoted(text) + " begins or ends with a space");
  }
  return {};
}

Result<void> check_name(const std::string& field, std::string_view text,
                        std::string_view forbidden = "&=?%+") {
  if (text.size() > kMaxNameBytes) {
    return wrong(field + " is " + std::to_string(text.size()) + " bytes long: the limit is " +
                 std::to_string(kMaxNameBytes));
  }
  return check_text(field, text, forbidden);
}

Result<void> check_service(const dubbo::ServiceKey& service) {
  if (!is_interface_name(service.interface)) {
    return wrong("service.interface " + quoted(service.interface) +
                 ": expected 1 to 256 characters of A-Z a-z 0-9 _ $ . -");
  }
  if (auto checked = check_name("service.group", service.group); !checked) return checked;
  return check_name("service.version", service.version);
}

Result<void> check_not_pattern(const dubbo::ServiceKey& service) {
  if (service.group.find_first_of("*,") != std::string::npos) {
    return wrong("service.group " + quoted(service.group) +
                 ": a publication needs one group, not a pattern or a list");
  }
  if (service.version.find_first_of("*,") != std::string::npos) {
    return wrong("service.version " + quoted(service.version) +
                 ": a publication needs one version, not a pattern or a list");
  }
  return {};
}

Result<std::string> joined_methods(const std::vector<std::string>& methods) {
  if (methods.empty()) return std::string("*");
  if (methods.size() > kMaxMethods) {
    return wrong("service.methods has " + std::to_string(methods.size()) +
                 " entries: the limit is " + std::to_string(kMaxMethods));
  }
  std::string joined;
  for (const std::string& method : methods) {
    if (method.empty()) return wrong("service.methods holds an empty name");
    if (auto checked = check_name("service.methods", method, "&=?%+, "); !checked) {
      return tl::unexpected<Error>(std::move(checked.error()));
    }
    if (!joined.empty()) joined += ',';
    joined += method;
  }
  return joined;
}

Result<void> check_parameter(const std::string& key, std::string_view value) {
  const std::string field = "service.parameters key " + quoted(key);
  if (key.empty()) return wrong("service.parameters has an empty key");
  if (auto checked = check_name(field, key, "&=?%+#/ "); !checked) return checked;
  // 3.x consumers cut the first "timestamp=...&" and "pid=...&" out of a node's name, wherever it
  // stands: such a key takes its neighbour with it.
  if (key.ends_with("timestamp") || key.ends_with("pid")) {
    return wrong(field +
                 ": keys that end in \"timestamp\" or \"pid\" are cut out of the URL by Dubbo 3 "
                 "consumers; choose another name");
  }
  return check_text("service.parameters value of " + quoted(key), value);
}

// Facts that the agent alone states, whether or not this URL has them.
bool is_reserved(std::string_view key) {
  static constexpr std::array<std::string_view, 9> kReserved = {
      "category", "dubbo",     "dynamic",
      "group",    "interface", "methods",
      "side",     "version",   dubbo::kRealPortParameter};
  return is_parameter_of_steps(key) ||
         std::find(kReserved.begin(), kReserved.end(), key) != kReserved.end();
}

bool offers_another_protocol(std::string_view key) {
  return key == "ext.protocol" || key == "preferred.protocol";
}

// Puts the request's own parameters over what the agent wrote.
Result<void> merge_parameters(const std::map<std::string, std::string>& wanted, BuiltUrl& built) {
  if (wanted.size() > kMaxParameters) {
    return wrong("service.parameters has " + std::to_string(wanted.size()) +
                 " entries: the limit is " + std::to_string(kMaxParameters));
  }
  Parameters& parameters = built.url.parameters;
  for (const auto& [key, value] : wanted) {
    if (auto checked = check_parameter(key, value); !checked) return checked;
    if (offers_another_protocol(key)) {
      built.warnings.push_back("service.parameters: " + key +
                               " was left out, because the agent relays the dubbo protocol only");
      continue;
    }
    const auto written = parameters.find(key);
    const std::string ours = written == parameters.end() ? std::string() : written->second;
    if (is_reserved(key) && ours != value) {
      std::string message = "service.parameters: ";
      message.append(key).append("=").append(quoted(value));
      message.append(" contradicts what the agent writes (").append(key).append("=");
      message.append(quoted(ours)).append("); leave it out");
      return wrong(std::move(message));
    }
    if (!value.empty()) parameters.insert_or_assign(key, value);
  }
  return {};
}

Result<void> check_size(const dubbo::Url& url) {
  const std::size_t size = url.to_string().size();
  if (size <= kMaxRegisteredUrlBytes) return {};
  return wrong("the registry URL of " + url.service_key().to_string() + " would be " +
               std::to_string(size) + " bytes long: the limit is " +
               std::to_string(kMaxRegisteredUrlBytes));
}

Result<BuiltUrl> with_request_parameters(BuiltUrl built,
                                         const std::map<std::string, std::string>& wanted) {
  auto merged = merge_parameters(wanted, built).and_then([&] { return check_size(built.url); });
  if (!merged) return tl::unexpected<Error>(std::move(merged.error()));
  return built;
}

void put_unless_empty(Parameters& parameters, std::string_view key, std::string_view value) {
  if (!value.empty()) parameters.insert_or_assign(std::string(key), std::string(value));
}

// What both kinds of URL say.
dubbo::Url common_url(std::string_view protocol, const dubbo::ServiceKey& service,
                      const std::string& application, const UrlContext& context) {
  dubbo::Url url;
  url.protocol = protocol;
  url.host = context.host;
  url.path = service.interface;
  url.parameters = {{"application", application.empty() ? context.application : application},
                    {"dubbo", std::string(kProtocolVersion)},
                    {"interface", service.interface},
                    {"pid", std::to_string(context.pid)},
                    {"timestamp", std::to_string(context.timestamp_ms)}};
  put_unless_empty(url.parameters, "group", service.group);
  put_unless_empty(url.parameters, "version", dubbo::normalized_version(service.version));
  return url;
}

}  // namespace

bool is_interface_name(std::string_view name) {
  constexpr std::string_view kAlsoAllowed = "_$.-";
  return !name.empty() && name.size() <= kMaxNameBytes && name != "." && name != ".." &&
         std::all_of(name.begin(), name.end(), [kAlsoAllowed](char c) {
           return is_letter_or_digit(c) || kAlsoAllowed.find(c) != std::string_view::npos;
         });
}

Result<BuiltUrl> build_provider_url(const PublicationRequest& request, const UrlContext& context) {
  Result<std::string> methods =
      check_service(request.service)
          .and_then([&] { return check_not_pattern(request.service); })
          .and_then([&] { return check_name("service.application", request.application); })
          .and_then([&] { return joined_methods(request.methods); });
  if (!methods) return tl::unexpected<Error>(std::move(methods.error()));

  BuiltUrl built;
  built.url = common_url("dubbo", request.service, request.application, context);
  built.url.port = context.port;
  Parameters& parameters = built.url.parameters;
  parameters["anyhost"] = "true";
  parameters["category"] = "providers";
  parameters["deprecated"] = "false";
  parameters["dynamic"] = "true";
  parameters["generic"] = "false";
  parameters["methods"] = std::move(*methods);
  parameters["release"] = kRelease;
  parameters["side"] = "provider";
  parameters[std::string(dubbo::kRealPortParameter)] = std::to_string(request.port);
  put_unless_empty(parameters, "revision", dubbo::normalized_version(request.service.version));
  return with_request_parameters(std::move(built), request.parameters);
}

Result<BuiltUrl> build_consumer_url(const SubscriptionRequest& request, const UrlContext& context) {
  auto checked = check_service(request.service).and_then([&] {
    return check_name("service.application", request.application);
  });
  if (!checked) return tl::unexpected<Error>(std::move(checked.error()));

  BuiltUrl built;
  built.url = common_url("consumer", request.service, request.application, context);
  Parameters& parameters = built.url.parameters;
  parameters["category"] = "consumers";
  parameters["check"] = "false";
  parameters["side"] = "consumer";
  parameters["sticky"] = "false";
  return with_request_parameters(std::move(built), request.parameters);
}

}  // namespace skiff::registry
