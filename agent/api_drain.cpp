#include "agent/api_drain.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "agent/api_verbs.h"
#include "agent/json_fields.h"
#include "agent/local_drain.h"
#include "agent/status_report.h"

namespace skiff::agent {
namespace {

using nlohmann::ordered_json;
using registry::VerbOutcome;
using registry::VerbState;
using std::chrono::milliseconds;
using namespace std::chrono_literals;

// For requests in flight, which may take as long as their timeouts.
constexpr milliseconds kDrainWait = 30s;
constexpr milliseconds kUndrainWait = 3s;

constexpr int kDone = 200;
constexpr int kNotDone = 202;

using Step = void (registry::ControlPlane::*)(milliseconds, registry::VerbCallback);

// Empty where the control thread did not answer in time.
std::optional<Result<VerbOutcome>> run(const ApiCall& call, Step step, milliseconds wait) {
  return call.control.wait_for<Result<VerbOutcome>>(
      wait + kAnswerMargin, [step, wait](registry::ControlPlane& plane, auto finish) {
        (plane.*step)(wait, [finish](Result<VerbOutcome> outcome) { finish(std::move(outcome)); });
      });
}

void add_reason(std::string& reasons, const std::string& reason) {
  if (reason.empty()) return;
  if (!reasons.empty()) reasons += "; ";
  reasons += reason;
}

ApiResponse answer(const char* word, const char* when_done, const std::string& reason,
                   const ordered_json& report) {
  ordered_json json = {{"err_no", 0},
                       {"err_msg", std::string(word) + (reason.empty() ? " success" : " accepted")},
                       {"state", reason.empty() ? when_done : "pending"}};
  if (!reason.empty()) json["reason"] = reason;
  json.update(report);
  ApiResponse response;
  response.status = reason.empty() ? kDone : kNotDone;
  response.body = to_text(json);
  return response;
}

ordered_json to_json(const registry::WithdrawalStatus& status) {
  ordered_json json = {{"interface", status.service.interface},
                       {"group", status.service.group},
                       {"version", status.service.version},
                       {"port", status.port},
                       {"registry", status.registry},
                       {"state", status.reason.empty() ? "unregistered" : "pending"}};
  if (!status.reason.empty()) json["reason"] = status.reason;
  return json;
}

}  // namespace

ApiResponse post_drain(const ApiCall& call) {
  const auto wait = read_wait(call.request, kDrainWait);
  if (!wait) return error_response(400, wait.error().message);
  if (call.backend.is_stopping()) return error_response(503, "the agent is stopping");
  const auto deadline = std::chrono::steady_clock::now() + *wait;
  // Half of the time is the registries', the rest is for the traffic.
  const auto outcome = run(call, &registry::ControlPlane::drain, *wait / 2);
  if (!outcome) return no_answer_in_time();
  if (!*outcome) return error_response(503, outcome->error().message);

  const LocalDrain drained = drain_local_traffic(call.control, call.backend, deadline);
  const auto withdrawals = call.control.ask([](registry::ControlPlane& plane) {
    return plane.is_drained() ? std::optional(plane.withdrawals()) : std::nullopt;
  });
  if (!withdrawals) return control_is_silent();
  if (!*withdrawals) {
    return answer("drain", "drained", "taken back by a later request",
                  {{"in_flight", drained.in_flight}, {"publications", ordered_json::array()}});
  }
  std::string reason;
  ordered_json publications = ordered_json::array();
  for (const registry::WithdrawalStatus& status : **withdrawals) {
    if (reason.empty()) reason = status.reason;
    publications.push_back(to_json(status));
  }
  if (call.backend.is_stopping()) {
    add_reason(reason, "the agent stops or is upgraded; it stays drained");
  }
  add_reason(reason, drained.left);
  return answer("drain", "drained", reason,
                {{"in_flight", drained.in_flight}, {"publications", std::move(publications)}});
}

ApiResponse post_undrain(const ApiCall& call) {
  const auto wait = read_wait(call.request, kUndrainWait);
  if (!wait) return error_response(400, wait.error().message);
  if (call.backend.is_stopping()) return error_response(503, "the agent is stopping");
  const auto outcome = run(call, &registry::ControlPlane::undrain, *wait);
  if (!outcome) return no_answer_in_time();
  if (!*outcome) return error_response(503, outcome->error().message);
  const auto publications =
      call.control.ask([](registry::ControlPlane& plane) { return plane.publications(); });
  if (!publications) return control_is_silent();
  return answer("undrain", "serving", (*outcome)->reason,
                {{"publications", publications_json(*publications)}});
}

}  // namespace skiff::agent
