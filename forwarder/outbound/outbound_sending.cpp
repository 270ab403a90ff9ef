// What the chosen provider is sent: the consumer's frame with our id, and the attachments that it
// needs from us.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "forwarder/limits.h"
#include "forwarder/outbound/outbound.h"

namespace skiff::forwarder {

using dubbo::FrameHeader;
using dubbo::Status;
using governance::ClusterMode;
using std::chrono::milliseconds;

namespace {

constexpr std::size_t kOwnAdditionsMax = 4;           // token, timeout, group, version
constexpr std::string_view kGenericCall = "$invoke";  // and "$invokeAsync"

// What the provider says of the request's method; nullptr where that is nothing.
const governance::MethodSettings* method_settings(const OutboundRequest& request,
                                                  const governance::ProviderEndpoint& provider) {
  if (!request.head_readable || provider.methods.empty()) return nullptr;
  return provider.settings_of(request.head.method);
}

// Nothing where it cannot be read, or stands in the arguments.
std::optional<std::string_view> known_method(const OutboundRequest& request) {
  const bool is_known = request.head_readable && !request.head.method.starts_with(kGenericCall);
  return is_known ? std::optional(request.head.method) : std::nullopt;
}

struct NamedTimeout {
  milliseconds timeout;
  bool is_a_rule;  // it beats what the request asks for, as in Dubbo
};

// What a rule says, or the provider's URL with its configurators.
std::optional<NamedTimeout> named_timeout(const OutboundRequest& request,
                                          const governance::ProviderEndpoint& provider) {
  const governance::RoutePolicy* rule = request.choice.rule;
  if (rule != nullptr && rule->timeout) return NamedTimeout{*rule->timeout, true};
  const governance::MethodSettings* own = method_settings(request, provider);
  if (own != nullptr && own->timeout) return NamedTimeout{*own->timeout, own->timeout_is_a_rule};
  if (provider.timeout.count() == 0) return std::nullopt;
  return NamedTimeout{provider.timeout, provider.timeout_is_a_rule};
}

}  // namespace

void Outbound::send(OutboundRequest& request, ClusterState& cluster, std::size_t provider,
                    UpstreamConnection& upstream) {
  const governance::ProviderEndpoint& spec = cluster.spec->providers[provider];
  const std::size_t waiting = upstream.output_size();
  if (waiting > 0 && waiting + request.frame.bytes.size() > limits::kUpstreamQueueMaxBytes) {
    context_.log.warn(LogKind::kLimit, context_.loop.now(),
                      "provider " + upstream.address() + " does not take its requests");
    return answer_error(request, Status::kServerThreadpoolExhausted,
                        "provider " + upstream.address() + " does not take its requests: " +
                            std::to_string(waiting) + " bytes wait for it");
  }
  const milliseconds timeout = timeout_of(request, spec);
  if (request.header().is_two_way && context_.loop.now() - request.received >= timeout) {
    return answer_error(request, Status::kServerTimeout,
                        "the time of " + request.describe() + ", " +
                            std::to_string(timeout.count()) +
                            " ms, was over before it could be sent");
  }
  if (request.filters && !ask_at_send(request, spec)) return;
  const std::uint8_t added_before = request.history.added_attachments;
  const auto splice = plan_changes(request, *cluster.spec, spec);
  if (!splice) {
    // It can never be sent: no mode of its cluster hides that, or tries again.
    if (!request.history.is_fan_out()) request.history.mode = ClusterMode::kFailfast;
    return answer_error(request, Status::kBadRequest, splice.error().message);
  }
  std::uint64_t wire_id = SlotTable::one_way_id(request.history.one_way_note());
  if (request.header().is_two_way) {
    Slot* slot = take_slot(request, upstream, timeout);
    if (slot == nullptr) return refuse_for_slots(request, added_before);
    keep_for_retry(request, *cluster.spec, spec, added_before, *slot);
    wire_id = slot->wire_id();
  }
  append_frame(request, *splice, wire_id, upstream);
  note_sent(*cluster.endpoints[provider]);
  note_attempt(request, upstream.address());
  if (request.header().is_two_way) return;
  finish(request.history.record, {.outcome = Outcome::kOneWay,
                                  .received = request.received,
                                  .traffic = request.traffic,
                                  .is_counted = request.history.may_end()});
}

void Outbound::note_attempt(const OutboundRequest& request, const std::string& provider) {
  FilterRecord* record = records_.get(request.history.record);
  if (record == nullptr) return;
  record->provider = provider;
  record->attempts = request.history.attempts;
}

void Outbound::note_sent(Endpoint& endpoint) {
  const TimePoint now = context_.loop.now();
  if (endpoint.health.state() != EndpointHealth::State::kAdmitted) {
    const bool is_probe = endpoint.health.admits(now);
    context_.counters.add(is_probe ? Counter::kUpstreamProbes : Counter::kUpstreamEjectedUsed);
  }
  endpoint.health.note_sent(now);
}

milliseconds Outbound::timeout_of(const OutboundRequest& request,
                                  const governance::ProviderEndpoint& provider) const {
  const std::optional<NamedTimeout> named = named_timeout(request, provider);
  if (request.timeout && !(named && named->is_a_rule)) return *request.timeout;
  return named ? named->timeout : context_.config.default_timeout;
}

// What filters say, and what a thin client cannot know: the provider's token and timeout, and which
// group and version "any" has become. Nothing to change is the ordinary case. Fails where something
// is to be removed and cannot be: what must not leave the machine does not.
Result<std::optional<dubbo::AttachmentSplice>> Outbound::plan_changes(
    OutboundRequest& request, const governance::Cluster& cluster,
    const governance::ProviderEndpoint& provider) {
  std::array<std::pair<std::string_view, std::string_view>,
             limits::kSetAttachmentsMax + kOwnAdditionsMax>
      added;
  std::array<char, 24> timeout_text{};
  std::size_t count = 0;
  const auto add = [&](std::string_view name, std::string_view value) {
    if (attachments_.find(name) != value) added[count++] = {name, value};
  };
  if (request.attachments_readable) {
    if (!provider.token.empty()) add("token", provider.token);
    const auto named = named_timeout(request, provider);
    if (named && (named->is_a_rule || !request.timeout) && !edits_.sets_name("timeout")) {
      const auto written = std::to_chars(
          timeout_text.data(), timeout_text.data() + timeout_text.size(), named->timeout.count());
      add("timeout", {timeout_text.data(), written.ptr});
    }
    if (request.group && *request.group != cluster.group) add("group", cluster.group);
    if (request.head.version == "*") add("version", cluster.version);
  }
  for (const auto& set : edits_.sets()) added[count++] = set;
  const dubbo::AttachmentChanges changes{.removed = removals_for(request),
                                         .added = std::span(added).first(count)};
  if (edits_.has_too_many_removals()) {
    return fail(ErrorCode::kTooLarge, "filters remove more than " +
                                          std::to_string(limits::kRemovedAttachmentsMax) +
                                          " attachments of " + request.describe());
  }
  if (changes.removed.empty() && changes.added.empty()) return std::nullopt;
  return spliced(request, changes);
}

// A frame that has attachments of ours has lost already what is to be removed; what filters put in
// its place stays.
std::span<const std::string_view> Outbound::removals_for(const OutboundRequest& request) const {
  if (request.history.added_attachments > 0) return {};
  return edits_.removals();
}

Result<std::optional<dubbo::AttachmentSplice>> Outbound::spliced(
    OutboundRequest& request, const dubbo::AttachmentChanges& changes) {
  if (request.history.added_attachments > limits::kAddedAttachmentsMax) return std::nullopt;
  auto splice = request.attachments_readable
                    ? reader_.splice(request.header().serialization, request.frame.body(),
                                     request.head, changes, inserted_)
                    : fail(ErrorCode::kUnsupported, "its attachments cannot be read");
  if (!splice) {
    if (!edits_.empty()) leave_out_edits(request, splice.error().message);
    if (changes.removed.empty()) return std::nullopt;
    return fail(ErrorCode::kUnsupported,
                "attachments of " + request.describe() +
                    " cannot be removed as a filter says: " + splice.error().message);
  }
  if (splice->changes_nothing()) return std::nullopt;
  request.history.added_attachments += static_cast<std::uint8_t>(splice->added);
  return *splice;
}

// Nothing was added to its frame after all.
void Outbound::refuse_for_slots(OutboundRequest& request, std::uint8_t added_attachments) {
  request.history.added_attachments = added_attachments;
  context_.log.warn(LogKind::kLimit, context_.loop.now(),
                    "too many requests are in flight; further ones are refused");
  answer_error(request, Status::kServerThreadpoolExhausted,
               "the agent has " + std::to_string(slots_.in_use()) +
                   " requests without an answer, its limit");
}

Slot* Outbound::take_slot(OutboundRequest& request, UpstreamConnection& upstream,
                          milliseconds timeout) {
  Slot* slot = slots_.take();
  if (slot == nullptr) return nullptr;
  slot->request_id = request.header().request_id;
  slot->consumer = request.consumer;
  slot->serialization = request.header().serialization;
  slot->method = request.method;
  slot->traffic = request.traffic;
  if (slot->method != nullptr) ++slot->method->service->in_flight;
  if (request.history.attempts > 1) {
    slot->history = std::make_unique<RequestHistory>(request.history);
  }
  slot->mode = request.history.mode;
  slot->record = request.history.record;
  slot->route = request.route;
  slot->is_shadow = request.history.is_shadow;
  if (slot->is_shadow) ++shadows_;
  slot->failback_left = request.history.failback_left;
  slot->fan_out = request.fan_out;
  slot->added_attachments = request.history.added_attachments;
  slot->received = request.received;
  slot->sent = context_.loop.now();
  sent_.push_back({slot, slot->generation});
  slot->request_size = static_cast<std::uint32_t>(request.frame.bytes.size());
  slot->timeout = timeout;
  upstream.add(*slot);
  const auto spent = std::chrono::duration_cast<milliseconds>(slot->sent - request.received);
  context_.loop.arm(slot->deadline, std::max(timeout - spent, milliseconds(0)));
  return slot;
}

void Outbound::keep_for_retry(const OutboundRequest& request, const governance::Cluster& cluster,
                              const governance::ProviderEndpoint& provider, std::uint8_t added,
                              Slot& slot) {
  governance::Retries allowed = governance::retries_of(cluster, provider, known_method(request));
  const governance::RoutePolicy* rule = request.choice.rule;
  if (rule != nullptr && rule->retries) allowed = {.count = *rule->retries};
  const std::uint32_t retries =
      slot.mode == ClusterMode::kFailover
          ? std::min(allowed.count, request.history.retries_left.value_or(allowed.count))
          : 0;
  const bool is_kept = retries > 0 || slot.mode == ClusterMode::kFailback;
  const dubbo::Bytes frame = request.frame.bytes;
  if (!is_kept || frame.size() > limits::kKeptRequestMaxBytes) return;
  if (kept_bytes_ + frame.size() > limits::kKeptMaxBytes) {
    context_.counters.add(Counter::kNotKept);
    context_.log.warn(LogKind::kLimit, context_.loop.now(),
                      "too many copies of requests are kept; further ones cannot be sent again");
    return;
  }
  slot.retries_left = retries;
  slot.retries_elsewhere_only = allowed.elsewhere_only;
  slot.kept_attachments = added;
  slot.kept = context_.loop.buffers().take(frame.size());
  slot.kept_size = static_cast<std::uint32_t>(frame.size());
  kept_bytes_ += slot.kept.capacity();
  std::memcpy(slot.kept.data(), frame.data(), frame.size());
  dubbo::write_request_id(slot.kept.data(), slot.request_id);
}

void Outbound::append_frame(const OutboundRequest& request,
                            const std::optional<dubbo::AttachmentSplice>& splice,
                            std::uint64_t wire_id, UpstreamConnection& upstream) {
  std::span<std::byte> frame = request.frame.bytes;
  if (splice) {
    frame = spliced_frame(request, *splice);
  } else if (request.history.is_fan_out() || request.history.is_shadow) {
    // Output refers to it until the end of the turn, with an id for each provider.
    frame = context_.loop.turn_memory().copy(frame);
  }
  dubbo::write_request_id(frame.data(), wire_id);
  upstream.append_output(frame);
}

std::span<std::byte> Outbound::spliced_frame(const OutboundRequest& request,
                                             const dubbo::AttachmentSplice& splice) {
  const std::span<std::byte> frame =
      context_.loop.turn_memory().build(FrameHeader::kSize + splice.body_size);
  std::memcpy(frame.data(), request.frame.bytes.data(), FrameHeader::kSize);
  dubbo::write_spliced_body(request.frame.body(), splice, inserted_,
                            frame.subspan(FrameHeader::kSize));
  dubbo::write_body_size(frame.data(), static_cast<std::uint32_t>(splice.body_size));
  return frame;
}

}  // namespace skiff::forwarder
