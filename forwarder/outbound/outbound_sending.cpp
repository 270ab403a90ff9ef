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
  const std::uint8_t added_before = request.history.added_attachments;
  const auto splice = plan_additions(request, *cluster.spec, spec);
  std::uint64_t wire_id = SlotTable::one_way_id(request.history.one_way_note());
  if (request.header().is_two_way) {
    Slot* slot = take_slot(request, upstream, timeout_of(request, spec));
    if (slot == nullptr) return refuse_for_slots(request, added_before);
    keep_for_retry(request, *cluster.spec, spec, added_before, *slot);
    wire_id = slot->wire_id();
  }
  append_frame(request, splice, wire_id, upstream);
  note_sent(*cluster.endpoints[provider]);
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

// What a thin client cannot know: the provider's token and timeout, and which
// group and version "any" has become. Nothing to add is the ordinary case.
std::optional<dubbo::AttachmentSplice> Outbound::plan_additions(
    OutboundRequest& request, const governance::Cluster& cluster,
    const governance::ProviderEndpoint& provider) {
  if (!request.attachments_readable) return std::nullopt;
  std::array<std::pair<std::string_view, std::string_view>, 4> added;
  std::size_t count = 0;
  if (!provider.token.empty() && attachments_.find("token") != provider.token) {
    added[count++] = {"token", provider.token};
  }
  std::array<char, 24> timeout_text{};
  const auto named = named_timeout(request, provider);
  if (named && (named->is_a_rule || !request.timeout) && named->timeout != request.timeout) {
    const auto written = std::to_chars(
        timeout_text.data(), timeout_text.data() + timeout_text.size(), named->timeout.count());
    added[count++] = {"timeout", {timeout_text.data(), written.ptr}};
  }
  if (request.group && *request.group != cluster.group) {
    added[count++] = {"group", cluster.group};
  }
  if (request.head.version == "*") added[count++] = {"version", cluster.version};
  if (count == 0) return std::nullopt;
  auto splice = reader_.splice(request.header().serialization, request.frame.body(), request.head,
                               {.added = std::span(added).first(count)}, inserted_);
  if (!splice) return std::nullopt;
  request.history.added_attachments += static_cast<std::uint8_t>(count);
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
  if (slot->method != nullptr) ++slot->method->service->in_flight;
  if (request.history.attempts > 1) {
    slot->history = std::make_unique<RequestHistory>(request.history);
  }
  slot->mode = request.history.mode;
  slot->failback_left = request.history.failback_left;
  slot->fan_out = request.fan_out;
  slot->added_attachments = request.history.added_attachments;
  slot->received = request.received;
  slot->sent = context_.loop.now();
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
  } else if (request.history.is_fan_out()) {
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
