#include "agent/api_verbs.h"

#include <algorithm>
#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "agent/durations.h"
#include "agent/json_fields.h"
#include "agent/local_drain.h"

namespace skiff::agent {
namespace {

using nlohmann::ordered_json;
using registry::VerbOutcome;
using registry::VerbState;
using std::chrono::milliseconds;
using namespace std::chrono_literals;

constexpr milliseconds kDefaultWait = 3s;
constexpr milliseconds kMaxWait = 60s;

using Outcomes = std::vector<Result<VerbOutcome>>;

// MOSN's words (protocol.md 3): its SDKs know them.
std::string_view word_of(Verb verb) {
  static constexpr std::array<std::string_view, 6> kWords = {"publish",     "unpub",    "subscribe",
                                                             "unsubscribe", "stopping", "ready"};
  return kWords[static_cast<std::size_t>(verb)];
}

std::string_view name_of(VerbState state) {
  static constexpr std::array<std::string_view, 5> kNames = {
      "registered", "unregistered", "subscribed", "unsubscribed", "pending"};
  return kNames[static_cast<std::size_t>(state)];
}

void call_plane(registry::ControlPlane& plane, Verb verb, const ServiceRequest& request,
                milliseconds wait, registry::VerbCallback done) {
  switch (verb) {
    case Verb::kPublish:
      return plane.publish(request.publication(), wait, std::move(done));
    case Verb::kUnpublish:
      return plane.unpublish(request.service, request.port, wait, std::move(done));
    case Verb::kSubscribe:
      return plane.subscribe(request.subscription(), wait, std::move(done));
    case Verb::kUnsubscribe:
      return plane.unsubscribe(request.service, wait, std::move(done));
    case Verb::kStopping:
      return plane.suspend(request.service, request.port, wait, std::move(done));
    case Verb::kReady:
      return plane.resume(request.service, request.port, wait, std::move(done));
  }
}

// The answers to one body, complete when each of its services has one. Lives on the control thread.
struct Gathering {
  Outcomes outcomes;
  std::size_t missing = 0;
};

// Empty where the control thread did not answer in time.
std::optional<Outcomes> run_all(Verb verb, std::vector<ServiceRequest> services, milliseconds wait,
                                ControlClient& control) {
  return control.wait_for<Outcomes>(
      wait + kAnswerMargin,
      [verb, services = std::move(services), wait](registry::ControlPlane& plane, auto finish) {
        auto gathering = std::make_shared<Gathering>();
        gathering->outcomes.resize(services.size(), VerbOutcome{});
        gathering->missing = services.size();
        if (services.empty()) return finish(Outcomes());
        for (std::size_t i = 0; i < services.size(); ++i) {
          call_plane(plane, verb, services[i], wait,
                     [gathering, finish, i](Result<VerbOutcome> outcome) {
                       gathering->outcomes[i] = std::move(outcome);
                       if (--gathering->missing == 0) finish(std::move(gathering->outcomes));
                     });
        }
      });
}

int status_of(const Result<VerbOutcome>& outcome) {
  if (outcome) return outcome->state == VerbState::kPending ? 202 : 200;
  switch (outcome.error().code) {
    case ErrorCode::kNotFound:
      return 404;
    case ErrorCode::kUnavailable:
    case ErrorCode::kTimeout:
      return 503;
    case ErrorCode::kInternal:
      return 500;
    default:
      return 400;
  }
}

// What the consumer's side may rely on: taken from the providers in hand, the first that says it.
void add_provider_defaults(const registry::ListedProviders& providers, ordered_json& json) {
  json["providers"] = providers.size();
  ordered_json defaults = ordered_json::object();
  for (const char* key : {"timeout", "serialization"}) {
    const auto found = std::find_if(providers.begin(), providers.end(),
                                    [key](const auto& one) { return !one.parameter(key).empty(); });
    if (found != providers.end()) defaults[key] = std::string(found->parameter(key));
  }
  json["defaults"] = std::move(defaults);
}

ordered_json to_json(Verb verb, const ServiceRequest& request, const Result<VerbOutcome>& outcome) {
  ordered_json json;
  json["err_no"] = outcome ? 0 : 1;
  if (!outcome) {
    json["err_msg"] = outcome.error().message;
    return json;
  }
  const bool is_pending = outcome->state == VerbState::kPending;
  json["err_msg"] = std::string(word_of(verb)) + (is_pending ? " accepted" : " success");
  json["state"] = name_of(outcome->state);
  if (!outcome->reason.empty()) json["reason"] = outcome->reason;
  if (!outcome->url.empty()) json["url"] = outcome->url;
  if (verb == Verb::kSubscribe && !is_pending) add_provider_defaults(outcome->providers, json);
  std::vector<std::string> warnings = request.warnings;
  warnings.insert(warnings.end(), outcome->warnings.begin(), outcome->warnings.end());
  if (!warnings.empty()) json["warnings"] = warnings;
  return json;
}

ApiResponse answer(int status, const ordered_json& json) {
  ApiResponse response;
  response.status = status;
  response.body = to_text(json);
  return response;
}

ApiResponse answer_one(Verb verb, const RequestBody& body, const Result<VerbOutcome>& outcome) {
  ordered_json json = to_json(verb, body.services.front(), outcome);
  for (const std::string& warning : body.warnings) json["warnings"].push_back(warning);
  return answer(status_of(outcome), json);
}

// Which status speaks for a batch: the worst of its services'.
int rank_of(int status) {
  static constexpr std::array<int, 6> kWorstLast = {200, 202, 404, 400, 503, 500};
  return static_cast<int>(std::find(kWorstLast.begin(), kWorstLast.end(), status) -
                          kWorstLast.begin());
}

ApiResponse answer_batch(Verb verb, const RequestBody& body, const Outcomes& outcomes) {
  int status = 200;
  std::size_t failed = 0;
  ordered_json results = ordered_json::array();
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const int one = status_of(outcomes[i]);
    if (rank_of(one) > rank_of(status)) status = one;
    if (!outcomes[i]) ++failed;
    ordered_json result = {{"interface", body.services[i].service.interface}, {"status", one}};
    result.update(to_json(verb, body.services[i], outcomes[i]));
    results.push_back(std::move(result));
  }
  ordered_json json;
  json["err_no"] = failed == 0 ? 0 : 1;
  json["err_msg"] = std::string(word_of(verb)) + (status == 202 ? " accepted" : " success");
  if (failed > 0) {
    json["err_msg"] =
        std::to_string(failed) + " of " + std::to_string(outcomes.size()) + " services failed";
  }
  json["results"] = std::move(results);
  if (!body.warnings.empty()) json["warnings"] = body.warnings;
  return answer(status, json);
}

bool is_about_all(Verb verb, const std::string& body) {
  const bool can_be = verb == Verb::kStopping || verb == Verb::kReady;
  return can_be && body.find_first_not_of(" \t\r\n") == std::string::npos;
}

// As if each publication had been named.
Result<RequestBody> body_of_all(ControlClient& control) {
  const auto publications =
      control.ask([](registry::ControlPlane& plane) { return plane.publications(); });
  if (!publications) return fail(ErrorCode::kUnavailable, "the agent did not answer in time");
  RequestBody body;
  body.is_batch = true;
  std::set<std::pair<dubbo::ServiceKey, std::uint16_t>> named;  // several registries may have it
  for (const registry::PublicationStatus& status : *publications) {
    if (!named.emplace(status.service, status.port).second) continue;
    ServiceRequest request;
    request.service = status.service;
    request.port = status.port;
    body.services.push_back(std::move(request));
  }
  return body;
}

// The rest of a stop, once the registries were told: half of the time was theirs.
void drain(ControlClient& control, ApiBackend& backend,
           std::chrono::steady_clock::time_point deadline, Outcomes& outcomes) {
  const std::string left = drain_local_traffic(control, backend, deadline).left;
  if (left.empty()) return;
  for (Result<VerbOutcome>& outcome : outcomes) {
    if (!outcome || outcome->state == VerbState::kPending) continue;
    outcome->state = VerbState::kPending;
    outcome->reason = left;
  }
}

}  // namespace

Result<milliseconds> read_wait(const ApiRequest& request, milliseconds by_default) {
  const auto given = request.query.find("wait");
  if (given == request.query.end()) return by_default;
  auto wait = parse_duration(given->second);
  if (!wait || *wait > kMaxWait) {
    return wrong_field("wait", given->second,
                       R"(a duration from 0 to 60s, such as "0", "500ms" or "2s")");
  }
  return wait;
}

ApiResponse no_answer_in_time() {
  return error_response(503,
                        "the agent did not answer in time: it is not known whether the request "
                        "was carried out; repeat it, which does no harm");
}

ApiResponse run_verb(Verb verb, const ApiRequest& request, ControlClient& control,
                     ApiBackend& backend) {
  const auto wait = read_wait(request, kDefaultWait);
  if (!wait) return error_response(400, wait.error().message);
  const auto body = is_about_all(verb, request.body) ? body_of_all(control)
                                                     : parse_request_body(verb, request.body);
  if (!body) {
    return error_response(body.error().code == ErrorCode::kUnavailable ? 503 : 400,
                          body.error().message);
  }
  if (backend.is_stopping()) return error_response(503, "the agent is stopping");

  const auto deadline = std::chrono::steady_clock::now() + *wait;
  auto outcomes =
      run_all(verb, body->services, verb == Verb::kStopping ? *wait / 2 : *wait, control);
  if (!outcomes) return no_answer_in_time();
  if (verb == Verb::kStopping) drain(control, backend, deadline, *outcomes);
  if (!body->is_batch) return answer_one(verb, *body, outcomes->front());
  return answer_batch(verb, *body, *outcomes);
}

}  // namespace skiff::agent
