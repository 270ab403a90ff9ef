// Requests that several providers are sent at once: cluster=forking and cluster=broadcast.
#include <algorithm>
#include <string>
#include <utility>

#include "dubbo/null_response.h"
#include "forwarder/limits.h"
#include "forwarder/outbound/outbound.h"

namespace skiff::forwarder {

using dubbo::Status;
using governance::ClusterMode;

void Outbound::fan_out(OutboundRequest& request, ClusterState& cluster) {
  const std::vector<Attempt> targets = request.history.mode == ClusterMode::kForking
                                           ? choose_forks(request, cluster)
                                           : connect_to_all(request, cluster);
  const bool reaches_somebody = std::ranges::any_of(
      targets, [](const Attempt& target) { return target.upstream != nullptr; });
  if (!reaches_somebody) return wait_or_fail(request, cluster);
  if (request.header().is_two_way) {
    request.fan_out = begin_fan_out(request);
    for (const Attempt& target : targets) send_copy(request, cluster, target);
    return end_part(request.fan_out);
  }
  // A one-way request ends here, whatever becomes of the copies.
  const RequestEnd end{.outcome = Outcome::kOneWay,
                       .received = request.received,
                       .traffic = request.traffic,
                       .is_counted = request.history.may_end()};
  const Handle record = std::exchange(request.history.record, Handle{});
  request.history.has_ended = true;
  note_targets(record, targets, cluster);
  for (const Attempt& target : targets) send_copy(request, cluster, target);
  finish(record, end);
}

// For who hears of its end: a one-way request went to all of them.
void Outbound::note_targets(Handle handle, const std::vector<Attempt>& targets,
                            const ClusterState& cluster) {
  FilterRecord* record = records_.get(handle);
  if (record == nullptr) return;
  for (const Attempt& target : targets) {
    if (target.upstream == nullptr) continue;
    if (!record->provider.empty()) record->provider += ',';
    record->provider += cluster.endpoints[target.provider]->address;
    ++record->attempts;
  }
}

Handle Outbound::begin_fan_out(const OutboundRequest& request) {
  auto fan_out = std::make_unique<FanOut>();
  fan_out->asker = {
      request.consumer,     request.header().request_id, request.header().serialization,
      request.history.mode, request.history.record,      request.traffic,
      request.received};
  fan_out->method = request.method;
  fan_out->route = request.route;
  fan_out->waiting = 1;  // so that it does not end before all of them were sent
  return fan_outs_.add(std::move(fan_out));
}

// As the balancer chooses, none twice; fewer where there are not so many. Who cannot be connected
// to at once is replaced.
std::vector<Outbound::Attempt> Outbound::choose_forks(OutboundRequest& request,
                                                      ClusterState& cluster) {
  std::vector<Attempt> forks;
  RequestHistory& history = request.history;
  const RequestHistory before = history;
  while (forks.size() < request.choice.policy->forks) {
    const std::optional<Attempt> attempt = next_attempt(request, cluster);
    if (!attempt) break;
    history.close_to(cluster.endpoints[attempt->provider]->address);
    if (attempt->upstream == nullptr) continue;
    forks.push_back(*attempt);
    history.attempts = before.attempts;  // of each of them
  }
  if (!forks.empty()) history = before;
  history.closed_to = before.closed_to;
  return forks;
}

std::vector<Outbound::Attempt> Outbound::connect_to_all(OutboundRequest& request,
                                                        ClusterState& cluster) {
  std::vector<Attempt> all;
  request.choice.providers->for_each([&](std::size_t i) {
    all.push_back({i, connect(request, *cluster.endpoints[i])});
  });
  return all;
}

void Outbound::send_copy(const OutboundRequest& request, ClusterState& cluster,
                         const Attempt& target) {
  OutboundRequest copy = request;
  if (FanOut* fan_out = fan_outs_.get(copy.fan_out); fan_out != nullptr) ++fan_out->waiting;
  context_.counters.add(Counter::kFanOutRequests);
  if (target.upstream == nullptr) {
    const Endpoint& endpoint = *cluster.endpoints[target.provider];
    return answer_error(
        copy, Status::kServerError,
        "provider " + endpoint.address + " cannot be reached: " + endpoint.health.last_error());
  }
  send(copy, cluster, target.provider, *target.upstream);
}

void Outbound::on_fan_out_answer(Slot& slot, const Frame& frame) {
  const Handle handle = slot.fan_out;
  FanOut& fan_out = *fan_outs_.get(handle);
  const bool is_broadcast = slot.mode == ClusterMode::kBroadcast;
  // With kBroadcast a method that threw counts as a failure, as in Dubbo.
  const bool is_good =
      frame.header.status == Status::kOk &&
      !(is_broadcast && dubbo::says_exception(frame.header.serialization, frame.body()));
  if (fan_out.is_answered) {
    context_.counters.add(Counter::kFanOutDropped);
  } else if (!is_good) {
    if (!std::exchange(fan_out.has_failed, true)) {
      fan_out.bad_answer.assign(frame.bytes.begin(), frame.bytes.end());
      note_answering(fan_out, slot);
    }
  } else if (is_broadcast) {
    fan_out.good_answer.assign(frame.bytes.begin(), frame.bytes.end());
    if (!fan_out.has_failed) note_answering(fan_out, slot);
  } else {
    fan_out.is_answered = true;
    note_answering(fan_out, slot);
    relay_and_finish(fan_out.asker, Frame::first_of(frame.bytes));
  }
  end_part(handle);
  release(slot);
}

// The consumer is given its answer, as far as is known by now.
void Outbound::note_answering(FanOut& fan_out, const Slot& slot) {
  fan_out.asker.upstream_time = context_.loop.now() - slot.sent;
  FilterRecord* record = records_.get(fan_out.asker.record);
  if (record != nullptr) record->provider = slot.upstream->address();
}

void Outbound::on_fan_out_failure(Slot& slot, Status status, const std::string& message) {
  const Handle handle = slot.fan_out;
  note_failure(handle, status, message);
  release(slot);
}

void Outbound::note_failure(Handle handle, Status status, const std::string& message) {
  FanOut& fan_out = *fan_outs_.get(handle);
  if (!std::exchange(fan_out.has_failed, true)) {
    fan_out.status = status;
    fan_out.error = message;
  }
  end_part(handle);
}

// One provider less to wait for; after the last one its consumer gets what is still owed to it.
void Outbound::end_part(Handle handle) {
  FanOut* fan_out = fan_outs_.get(handle);
  if (fan_out == nullptr || --fan_out->waiting > 0) return;
  const auto ended = fan_outs_.remove(handle);
  if (ended->is_answered) return;
  const Asker& asker = ended->asker;
  if (!ended->has_failed) return relay_copy(*ended, ended->good_answer);
  if (!ended->bad_answer.empty()) return relay_copy(*ended, ended->bad_answer);
  log_failure(ended->method, ended->route, ended->status, ended->error);
  answer_failure(asker, ended->status, ended->error, outcome_of(ended->status));
}

void Outbound::relay_copy(const FanOut& fan_out, dubbo::Bytes answer) {
  relay_and_finish(fan_out.asker, Frame::first_of(context_.loop.turn_memory().copy(answer)));
}

}  // namespace skiff::forwarder
