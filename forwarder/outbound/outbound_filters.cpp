// Filters at their points on a request's way: what they are told, and what they may do.
#include <algorithm>
#include <utility>

#include "dubbo/check.h"
#include "dubbo/trace_context.h"
#include "forwarder/limits.h"
#include "forwarder/outbound/outbound.h"

namespace skiff::forwarder {

using dubbo::Status;
using governance::FilterAnswer;
using governance::FilterEntry;
using governance::FilterPoint;
using std::chrono::milliseconds;

// The request in hand at one point.
class Outbound::AtFilter final : public governance::FilteredRequest {
 public:
  AtFilter(Outbound& outbound, OutboundRequest& request, FilterPoint point)
      : outbound_(outbound), request_(request), point_(point) {
    facts_.interface = request.interface;
    facts_.version = governance::cut_for_people(request.head.version);
    facts_.method = governance::cut_for_people(request.view.method);
    if (auto* consumer = outbound.consumers_.get(request.consumer); consumer != nullptr) {
      facts_.caller_address = consumer->peer_address();
    }
    facts_.application = governance::application_of(outbound.attachments_);
    facts_.has_attachments_of_ours = request.history.added_attachments > 0;
    facts_.received = request.received;
    facts_.now = outbound.context_.loop.now();
  }

  // False where a filter stops it. Entries before the one at `first` are left out.
  bool ask(std::size_t first = 0) {
    for (const std::uint8_t i : request_.filters->at(point_)) {
      const FilterEntry& entry = *request_.filters->entries()[i];
      if (i < first || !entry.matches(facts_, request_.view)) continue;
      entry_ = i;
      const bool goes_on = entry.filter->on_request(*this) == FilterAnswer::kContinue;
      check(goes_on != is_settled_,
            "a filter stops what it has not refused or delayed, or goes on");
      if (!goes_on) return false;
    }
    return true;
  }

  // For those that want to hear of its end.
  void note_who_logs() {
    for (const std::uint8_t i : request_.filters->at(FilterPoint::kLog)) {
      if (!request_.filters->entries()[i]->matches(facts_, request_.view)) continue;
      record().logged |= std::uint32_t{1} << i;
    }
  }

  void to_cluster(ClusterState& cluster) { cluster_ = &cluster; }
  void to_provider(const governance::ProviderEndpoint& provider) { provider_ = &provider; }

  const governance::RequestFacts& facts() const override { return facts_; }
  std::uint64_t random() override { return outbound_.context_.random(); }
  std::string_view agent() const override { return outbound_.context_.config.agent_name; }

  void refuse(Status status, const std::string& why) override {
    is_settled_ = true;
    outbound_.context_.counters.add(Counter::kRefusedByFilter);
    outbound_.answer_error(request_, status,
                           request_.describe() + " is refused by filter " +
                               request_.filters->entries()[entry_]->name + ": " + why,
                           Outcome::kRefused);
  }

  bool delay(milliseconds time) override {
    DelayedRequests& delayed = outbound_.delayed_;
    if (point_ != FilterPoint::kReceive || !delayed.has_room_for(request_.frame.bytes.size())) {
      outbound_.context_.counters.add(Counter::kDelaysLeftOut);
      return false;
    }
    is_settled_ = true;
    record().resume_at = entry_ + 1;
    outbound_.context_.counters.add(Counter::kDelayed);
    delayed.add(std::min(time, time_left()), copy_of(request_));
    return true;
  }

  void set_attachment(std::string_view key, std::string_view value) override {
    if (!outbound_.edits_.set(key, value)) {
      return outbound_.leave_out_edits(request_, "they are too many");
    }
    if (point_ != FilterPoint::kBeforeRoute) return;
    outbound_.attachments_.remove(key);
    outbound_.attachments_.add(key, outbound_.edits_.sets().back().second);
    request_.view.attachments_changed();
  }

  void remove_attachment(std::string_view key) override {
    check(point_ == FilterPoint::kBeforeRoute, "a filter removes an attachment too late");
    outbound_.edits_.remove(key);
    outbound_.attachments_.remove(key);
    request_.view.attachments_changed();
  }

  void mirror() override {
    if (cluster_ == nullptr || request_.history.is_past_mirrors) return;
    outbound_.mirror(request_, *cluster_, *request_.filters->entries()[entry_]->filter);
  }

  milliseconds timeout() const override {
    if (provider_ == nullptr) return outbound_.context_.config.default_timeout;
    return outbound_.timeout_of(request_, *provider_);
  }

  std::uint32_t& note() override {
    record().logged |= std::uint32_t{1} << entry_;
    return record().notes[entry_];
  }

 private:
  // As the request itself says; what its provider says is known when it is sent.
  milliseconds time_left() const {
    if (!request_.timeout) return milliseconds::max();
    const auto spent = std::chrono::floor<milliseconds>(facts_.now - facts_.received);
    return std::max(*request_.timeout - spent, milliseconds(0));
  }

  FilterRecord& record() {
    FilterRecord& record = outbound_.record_of(request_);
    if (!record.chain) record.chain = request_.filters->shared_from_this();
    return record;
  }

  Outbound& outbound_;
  OutboundRequest& request_;
  const FilterPoint point_;
  governance::RequestFacts facts_;
  std::size_t entry_ = 0;    // that is asked
  bool is_settled_ = false;  // it was refused, or is delayed
  ClusterState* cluster_ = nullptr;
  const governance::ProviderEndpoint* provider_ = nullptr;
};

// A request that is sent again was received before; so was one whose delay is over, which goes on
// behind the filter that delayed it, unless the filters are others now: what they note of it stands
// in a record of the old ones.
bool Outbound::ask_at_receive(OutboundRequest& request) {
  FilterRecord* known = records_.get(request.history.record);
  if (known != nullptr && known->resume_at) {
    const std::size_t first = *std::exchange(known->resume_at, std::nullopt);
    if (known->chain->entries() != request.filters->entries()) return true;
    return AtFilter(*this, request, FilterPoint::kReceive).ask(first);
  }
  const bool wants_it = !request.filters->at(FilterPoint::kReceive).empty() ||
                        !request.filters->at(FilterPoint::kLog).empty();
  if (!request.history.is_new() || !wants_it) return true;
  AtFilter at(*this, request, FilterPoint::kReceive);
  at.note_who_logs();
  return at.ask();
}

bool Outbound::ask_before_route(OutboundRequest& request) {
  if (request.filters->at(FilterPoint::kBeforeRoute).empty()) return true;
  const bool goes_on = AtFilter(*this, request, FilterPoint::kBeforeRoute).ask();
  edits_.keep();
  return goes_on;
}

bool Outbound::ask_after_route(OutboundRequest& request, ClusterState& cluster) {
  bool goes_on = true;
  if (!request.filters->at(FilterPoint::kAfterRoute).empty()) {
    AtFilter at(*this, request, FilterPoint::kAfterRoute);
    at.to_cluster(cluster);
    goes_on = at.ask();
  }
  request.history.is_past_mirrors = true;
  return goes_on;
}

// Each provider that it is sent to has its own edits, beside those from before its route.
bool Outbound::ask_at_send(OutboundRequest& request, const governance::ProviderEndpoint& provider) {
  edits_.back_to_kept();
  if (request.filters->at(FilterPoint::kSend).empty()) return true;
  AtFilter at(*this, request, FilterPoint::kSend);
  at.to_provider(provider);
  return at.ask();
}

void Outbound::on_delay_over(const HeldRequest& delayed) {
  OutboundRequest request(delayed, context_.loop.turn_memory());
  request.history.was_counted = true;
  process(request);
}

// Once for a request, however many of its attachments cannot be changed.
void Outbound::leave_out_edits(const OutboundRequest& request, std::string_view why) {
  if (!edits_.note_left_out()) return;
  context_.counters.add(Counter::kEditsLeftOut);
  if (!context_.log.admits(LogKind::kEditsLeftOut, context_.loop.now())) return;
  context_.log.warn(LogKind::kEditsLeftOut, context_.loop.now(),
                    "attachments of " + request.describe() +
                        " are not changed as filters say: " + std::string(why));
}

// The copy goes its own way: nobody waits for its answer, and it is not sent again.
void Outbound::mirror(const OutboundRequest& request, ClusterState& cluster,
                      const governance::Filter& filter) {
  const auto target =
      std::ranges::find(cluster.spec->mirrors, &filter, &governance::MirrorTarget::filter);
  const bool has_target = target != cluster.spec->mirrors.end() && !target->providers.empty();
  if (!has_target && context_.log.admits(LogKind::kMirrorFailed, context_.loop.now())) {
    context_.log.warn(LogKind::kMirrorFailed, context_.loop.now(),
                      "no copy of " + request.describe() +
                          " is sent: no provider of its version is among those that its filter "
                          "means (" +
                          filter.describe() + ")");
  }
  if (!has_target || shadows_ >= limits::kShadowsInFlightMax) {
    return context_.counters.add(Counter::kMirrorFailed);
  }
  OutboundRequest copy = request;
  copy.history = RequestHistory{};
  copy.history.mode = governance::ClusterMode::kFailfast;
  copy.history.is_shadow = true;
  copy.history.added_attachments = request.history.added_attachments;
  copy.choice = cluster.routing.among(target->providers);
  context_.counters.add(Counter::kMirrored);
  deliver(copy, cluster);
}

FilterRecord& Outbound::record_of(OutboundRequest& request) {
  Handle& handle = request.history.record;
  if (FilterRecord* known = records_.get(handle); known != nullptr) return *known;
  handle = records_.add();
  FilterRecord& made = *records_.get(handle);
  made.interface.assign(governance::cut_for_people(request.interface.empty() ? request.head.path
                                                                             : request.interface));
  made.group.assign(governance::cut_for_people(request.group.value_or("")));
  made.version.assign(governance::cut_for_people(request.head.version));
  made.method.assign(governance::cut_for_people(request.view.method.empty() ? request.head.method
                                                                            : request.view.method));
  if (auto* consumer = consumers_.get(request.consumer); consumer != nullptr) {
    made.caller_address.assign(consumer->peer_address());
  } else {
    made.caller_address.clear();
  }
  made.application.assign(governance::application_of(attachments_));
  made.trace.assign(dubbo::trace_id_of(attachments_));
  made.received = request.received;
  made.request_bytes = request.frame.bytes.size();
  return made;
}

// Before it is known how it ends.
void Outbound::follow_for_access_log(OutboundRequest& request) {
  if (!context_.access_log.is_on() || !request.history.is_new()) return;
  if (records_.get(request.history.record) != nullptr) return;  // it was held until now
  if (context_.access_log.follows(context_.random())) record_of(request).is_followed = true;
}

namespace {

// One line for a request, however many want it.
class OneLine final : public governance::AccessLines {
 public:
  explicit OneLine(AccessLog& log) : log_(log) {}
  void write(const governance::FinishedRequest& request) override {
    if (!std::exchange(is_written_, true)) log_.write(request);
  }

 private:
  AccessLog& log_;
  bool is_written_ = false;
};

}  // namespace

// A request that has no record is none that anybody wants to hear of.
void Outbound::finish(Handle handle, const RequestEnd& end) {
  if (end.is_counted) {
    MethodCells& traffic = end.traffic != nullptr ? *end.traffic : context_.traffic.unknown();
    ended_.push_back({&traffic, end.outcome, end.received, end.upstream_time});
  }
  std::unique_ptr<FilterRecord> record = records_.remove(handle);
  if (!record) return;
  write_end(*record, end);
  records_.give_back(std::move(record));
}

// The clock is read: in the turn's own time there is nothing of what the agent took.
void Outbound::write_end(const FilterRecord& record, const RequestEnd& end) {
  governance::FinishedRequest finished{.facts = {.interface = record.interface,
                                                 .version = record.version,
                                                 .method = record.method,
                                                 .caller_address = record.caller_address,
                                                 .application = record.application,
                                                 .received = record.received,
                                                 .now = Clock::now()},
                                       .status = end.status,
                                       .is_by_agent = end.is_by_agent,
                                       .error = end.error,
                                       .provider = record.provider,
                                       .attempts = record.attempts,
                                       .upstream_time = end.upstream_time,
                                       .outcome = name_of(end.outcome),
                                       .group = record.group,
                                       .trace = record.trace,
                                       .request_bytes = record.request_bytes,
                                       .answer_bytes = end.answer_bytes,
                                       .random = context_.random()};
  OneLine line(context_.access_log);
  const auto total = finished.facts.now - record.received;
  if (record.is_followed && context_.access_log.wants(end.outcome, total)) line.write(finished);
  if (!record.chain) return;
  for (const std::uint8_t i : record.chain->at(FilterPoint::kLog)) {
    if ((record.logged >> i & 1U) == 0) continue;
    finished.note = record.notes[i];
    record.chain->entries()[i]->filter->on_log(finished, line);
  }
}

}  // namespace skiff::forwarder
