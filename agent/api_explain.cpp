#include "agent/api_explain.h"

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "agent/durations.h"
#include "agent/explanation_report.h"
#include "agent/json_fields.h"
#include "agent/route_compiler.h"
#include "agent/text.h"
#include "registry/listed_provider.h"

namespace skiff::agent {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kAttachment = "attachment.";
constexpr std::string_view kArgument = "argument.";
constexpr std::uint64_t kArgumentsMax = 64;
// How long a list may take to come that nobody has asked for before.
constexpr auto kListTime = 2s;
constexpr auto kListPoll = 20ms;

// "argument.2=x" makes the arguments before it "" where they are not given.
bool add_argument(const std::string& index_text, const std::string& value,
                  forwarder::ExplainRequest& asked) {
  const auto index = parse_number(index_text, 0, kArgumentsMax - 1);
  if (!index) return false;
  if (asked.arguments.size() <= *index) asked.arguments.resize(*index + 1);
  asked.arguments[*index] = value;
  return true;
}

Result<forwarder::ExplainRequest> read_request(const std::map<std::string, std::string>& query) {
  forwarder::ExplainRequest asked;
  for (const auto& [key, value] : query) {
    if (key == "interface") {
      asked.interface = value;
    } else if (key == "group") {
      asked.group = value;
    } else if (key == "version") {
      asked.version = value;
    } else if (key == "method") {
      asked.method = value;
    } else if (key.starts_with(kAttachment)) {
      asked.attachments.emplace_back(key.substr(kAttachment.size()), value);
    } else if (!key.starts_with(kArgument) ||
               !add_argument(key.substr(kArgument.size()), value, asked)) {
      return fail(ErrorCode::kInvalidArgument,
                  "query: came " + in_quotes(key) +
                      ", expected interface, method, group, version, attachment.<key>, or "
                      "argument.<0.." +
                      std::to_string(kArgumentsMax - 1) + ">");
    }
  }
  if (asked.interface.empty()) {
    return fail(ErrorCode::kInvalidArgument, "interface: came nothing, expected a name");
  }
  return asked;
}

std::optional<forwarder::Explanation> explain(const ApiCall& call,
                                              const forwarder::ExplainRequest& asked) {
  auto explanation = call.backend.explain(asked);
  if (!explanation || !explanation->is_unknown) return explanation;
  const auto until = std::chrono::steady_clock::now() + kListTime;
  call.control.ask([interface = asked.interface](registry::ControlPlane& plane) {
    plane.need_service(interface);
    return true;
  });
  while (explanation && explanation->is_unknown && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(kListPoll);
    explanation = call.backend.explain(asked);
  }
  return explanation;
}

// What governs the request at each provider of the cluster that it is routed in.
std::vector<ProviderValue> sources_of(const ApiCall& call, forwarder::ExplainRequest asked,
                                      const forwarder::Explanation& explanation) {
  asked.group = explanation.group;
  asked.version = explanation.version;
  const auto sources = call.control.ask(
      [&backend = call.backend, asked = std::move(asked)](registry::ControlPlane& plane) {
        const auto service = plane.service(asked.interface);
        if (!service) return std::vector<ProviderValue>();
        return backend.compiler().value_sources(asked, registry::urls_of(service->providers));
      });
  return sources.value_or(std::vector<ProviderValue>());
}

}  // namespace

ApiResponse get_explain(const ApiCall& call) {
  const auto asked = read_request(call.request.query);
  if (!asked) return error_response(400, asked.error().message);
  const auto explanation = explain(call, *asked);
  if (!explanation) return error_response(503, "no worker answered in time");
  if (!explanation->problem.empty()) return error_response(404, explanation->problem);
  const auto sources = sources_of(call, *asked, *explanation);
  ApiResponse response;
  response.body = to_text(explanation_json(*asked, *explanation, sources));
  return response;
}

ApiResponse get_rules(const ApiCall& call) {
  const auto rules = call.control.ask([&backend = call.backend](registry::ControlPlane& /*plane*/) {
    return backend.compiler().rules();
  });
  if (!rules) return control_is_silent();
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const auto& [name, rule] : *rules) {
    list.push_back({{"rule", name},
                    {"interfaces", rule.interfaces},
                    {"problem", rule.problem},
                    {"unknown_providers", rule.unknown_providers}});
  }
  ApiResponse response;
  response.body = to_text(nlohmann::ordered_json{{"rules", std::move(list)}});
  return response;
}

}  // namespace skiff::agent
