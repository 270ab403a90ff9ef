#include "forwarder/outbound/outbound.h"

#include <algorithm>
#include <utility>

#include "forwarder/limits.h"

namespace skiff::forwarder {
namespace {

using dubbo::Status;
using std::chrono::milliseconds;

constexpr std::size_t kInterfaceNameMax = 256;

// Bytes from the wire become a key, a log line and a registry path: only what can be a Java name
// does.
bool is_interface_name(std::string_view text) {
  return !text.empty() && text.size() <= kInterfaceNameMax && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '$' || c == '-';
  });
}

class RandomDraw final : public governance::Draw {
 public:
  explicit RandomDraw(RandomSource& random) : random_(random) {}
  std::size_t choose(std::span<const std::uint32_t> weights) override {
    std::uint64_t total = 0;
    for (const std::uint32_t weight : weights) total += weight;
    std::uint64_t left = random_() % total;
    std::size_t i = 0;
    while (left >= weights[i]) left -= weights[i++];
    return i;
  }

 private:
  RandomSource& random_;
};

// nullopt where it is no positive number. By hand, since std::from_chars takes five times as long
// for so few digits, and this is read from every request.
std::optional<milliseconds> parse_timeout(std::string_view text) {
  constexpr std::size_t kDigitsMax = 18;  // fit 64 bits
  if (text.empty() || text.size() > kDigitsMax) return std::nullopt;
  std::int64_t asked_ms = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    asked_ms = asked_ms * 10 + (c - '0');
  }
  if (asked_ms == 0) return std::nullopt;
  return std::min<milliseconds>(milliseconds(asked_ms), limits::kTimeoutMax);
}

}  // namespace

OutboundRequest::OutboundRequest(const HeldRequest& held, TurnMemory& memory)
    : frame(Frame::first_of(memory.copy(held.frame))),
      consumer(held.consumer),
      received(held.received),
      history(held.history) {}

std::string OutboundRequest::describe() const {
  std::string text(interface);
  const std::string_view version = dubbo::normalized_version(head.version);
  if (!version.empty()) text.append(":").append(version);
  if (method != nullptr) text.append(", method ").append(method->name);
  return text;
}

Outbound::Outbound(WorkerContext& context)
    : context_(context),
      upstreams_(context, *this),
      routes_(upstreams_, context.traffic),
      slots_(
          *this,
          [](void* slot) {
            auto* due = static_cast<Slot*>(slot);
            due->owner.on_deadline(*due);
          },
          limits::kInFlightMax),
      held_(context, [this](const std::string& interface,
                            const HeldRequest& request) { on_hold_over(interface, request); }),
      waiting_(context, *this),
      failback_(context, {limits::kFailbackRequestsMax, limits::kFailbackBytesMax},
                [this](const HeldRequest& due) { on_failback_due(due); }),
      delayed_(context, {limits::kDelayedRequestsMax, limits::kDelayedBytesMax},
               [this](const HeldRequest& due) { on_delay_over(due); }) {}

Outbound::~Outbound() { context_.loop.forget(*this); }

// --- downstream

void Outbound::accept(AcceptedSocket socket) {
  if (consumers_.size() >= limits::kConnectionsMax) {
    context_.counters.add(Counter::kConnectionsRefused);
    context_.log.warn(LogKind::kLimit, context_.loop.now(),
                      "too many connections are open; further ones are closed");
    return;
  }
  context_.counters.add(Counter::kOutboundConnections);
  auto connection = std::make_unique<DownstreamConnection>(context_, *this, std::move(socket));
  DownstreamConnection& consumer = *connection;
  const Handle handle = consumers_.add(std::move(connection));
  if (const Result<void> started = consumer.begin(handle); !started) {
    consumer.close(started.error().message);
  }
}

void Outbound::adopt(CarriedConsumer carried, ConnectionTicket ticket) {
  context_.counters.add(Counter::kOutboundAdopted);
  auto connection = std::make_unique<DownstreamConnection>(
      context_, *this, AcceptedSocket{std::move(carried.socket.fd), std::move(ticket)});
  DownstreamConnection& consumer = *connection;
  const Handle handle = consumers_.add(std::move(connection));
  if (const Result<void> started = consumer.begin(handle, std::move(carried)); !started) {
    consumer.close(started.error().message);
  }
}

void Outbound::carry(std::vector<CarriedConsumer>& carried, std::size_t most) {
  consumers_.for_each([&](DownstreamConnection& consumer) {
    if (carried.size() >= most) return;
    if (auto one = consumer.carry()) carried.push_back(std::move(*one));
  });
}

void Outbound::carry_back() {
  consumers_.for_each([](DownstreamConnection& consumer) { consumer.carry_back(); });
}

void Outbound::leave_carried() {
  consumers_.for_each([](DownstreamConnection& consumer) { consumer.leave_carried(); });
}

void Outbound::leave_to_successor() {
  consumers_.for_each([](DownstreamConnection& consumer) { consumer.drain(); });
}

void Outbound::on_consumer_closed(DownstreamConnection& consumer) {
  if (auto owned = consumers_.remove(consumer.handle()); owned) {
    context_.closed.push_back(std::move(owned));
  }
}

void Outbound::drain() {
  consumers_.for_each([](DownstreamConnection& consumer) { consumer.leave(); });
}

void Outbound::on_request(DownstreamConnection& consumer, const Frame& frame) {
  context_.counters.add(Counter::kOutboundRequests);
  if (frame.header.is_two_way) {
    consumer.owe_answer();
  } else {
    context_.counters.add(Counter::kOutboundOneWay);
  }
  OutboundRequest request(frame, consumer.handle(), context_.loop.now());
  process(request);
}

void Outbound::on_oversized_request(DownstreamConnection& consumer,
                                    const dubbo::FrameHeader& header) {
  context_.counters.add(Counter::kOversized);
  context_.log.warn(LogKind::kOversized, context_.loop.now(),
                    "closing a consumer that sent a frame of " + std::to_string(header.body_size) +
                        " bytes, over the limit (body_limit)");
  if (!header.is_request || header.is_event || !header.is_two_way) return;
  consumer.owe_answer();
  write_error(consumer.handle(), header.request_id, header.serialization, Status::kBadRequest,
              "the request has " + std::to_string(header.body_size) +
                  " bytes, the agent's limit (body_limit) is " +
                  std::to_string(context_.config.body_limit));
  finish({}, {.outcome = Outcome::kBadRequest,
              .received = context_.loop.now(),
              .status = Status::kBadRequest,
              .is_by_agent = true});
}

// One reading of the clock, however many requests there were: the turn's own time is too coarse for
// what the agent takes of theirs.
void Outbound::end_turn() {
  if (sent_.empty() && ended_.empty()) return;
  const TimePoint now = Clock::now();
  for (const SentRequest& sent : sent_) {
    const bool is_in_flight =
        sent.slot->upstream != nullptr && sent.slot->generation == sent.generation;
    if (is_in_flight) sent.slot->sent = now;
  }
  sent_.clear();
  for (const EndedRequest& ended : ended_) {
    TrafficTable::note_end(*ended.traffic, ended.outcome, now - ended.received,
                           ended.upstream_time);
  }
  ended_.clear();
}

// The whole way of a request. It ends with the request in an upstream's buffer, on hold, or
// answered.
void Outbound::process(OutboundRequest& request) {
  if (!decode(request)) return;
  ServiceEntry* service = find_service(request);
  if (service == nullptr) {
    follow_for_access_log(request);
    return hold(request);
  }
  count(request, *service);
  open_view(request);
  follow_for_access_log(request);
  request.filters = service->filters();
  if (request.filters && !ask_at_receive(request)) return;
  ClusterState* cluster = choose_cluster(request, *service);
  if (cluster == nullptr) return explain_no_cluster(request, *service);
  if (request.filters && !ask_before_route(request)) return;
  if (!apply_rules(request, *service, *cluster)) return;
  if (request.filters && !ask_after_route(request, *cluster)) return;
  deliver(request, *cluster);
}

// --- request

bool Outbound::decode(OutboundRequest& request) {
  const dubbo::Serialization serialization = request.header().serialization;
  attachments_.clear();
  if (!dubbo::has_readable_head(serialization)) return true;  // find_service() may know the way
  auto head = reader_.read_head(serialization, request.frame.body());
  if (!head) {
    answer_error(request, Status::kBadRequest,
                 "the request body cannot be read: " + head.error().message);
    return false;
  }
  request.head = *head;
  request.head_readable = true;
  request.attachments_readable =
      dubbo::has_readable_attachments(serialization) &&
      reader_.read_attachments(serialization, request.frame.body(), request.head, attachments_)
          .has_value();
  read_wishes(request);
  return true;
}

// The last one of a name counts, as with stock decoders. What a lost connection gave back ends with
// what we had added for its provider.
void Outbound::read_wishes(OutboundRequest& request) const {
  std::optional<milliseconds> old_timeout;  // Dubbo's name for it before 3.0.6
  const std::size_t all = attachments_.size() + attachments_.dropped();
  const std::size_t asked = all - std::min<std::size_t>(all, request.history.added_attachments);
  for (std::size_t i = 0; i < std::min(asked, attachments_.size()); ++i) {
    const auto& [key, value] = attachments_[i];
    if (key == "group") {
      request.group = value;
    } else if (key == "timeout") {
      request.timeout = parse_timeout(value);
    } else if (key == "_TO") {
      old_timeout = parse_timeout(value);
    }
  }
  if (!request.timeout) request.timeout = old_timeout;
}

ServiceEntry* Outbound::find_service(OutboundRequest& request) {
  if (!request.head_readable) {
    ServiceEntry* service = routes_.only_service();
    if (service != nullptr) request.interface = service->interface();
    return service;
  }
  request.interface = request.head.path;
  if (ServiceEntry* service = routes_.find(request.interface); service != nullptr) return service;
  request.interface = dubbo::named_interface(request.head, attachments_);
  return routes_.find(request.interface);
}

void Outbound::count(OutboundRequest& request, ServiceEntry& service) {
  const bool is_new = request.history.is_new();
  if (is_new) {
    RetryBudget& retries = request.head_readable ? service.retry_budget() : unread_retries_;
    retries.note_request(context_.loop.now());
  }
  if (!request.head_readable) return;
  std::string_view method = request.head.method;
  if (request.head.is_generic()) {
    method =
        reader_.generic_method(request.header().serialization, request.frame.body(), request.head)
            .value_or(method);
  }
  request.method = &service.method(method);
  request.traffic = request.method->traffic;
  request.view.method = method;
}

// For filters, rules and balancers.
void Outbound::open_view(OutboundRequest& request) {
  edits_.clear();
  edits_.keep();
  request.view.attachments = &attachments_;
  if (!request.head_readable) return;
  arguments_.point_to(request.header().serialization, request.frame.body(), request.head);
  request.view.arguments = &arguments_;
}

void Outbound::hold(OutboundRequest& request) {
  if (!request.head_readable) {
    return answer_error(request, Status::kBadRequest,
                        "serialization " +
                            std::string(dubbo::name_of(request.header().serialization)) + " (" +
                            std::to_string(static_cast<int>(request.header().serialization)) +
                            ") cannot be read by the agent, and more than one service is possible");
  }
  if (!is_interface_name(request.interface)) {
    return answer_error(request, Status::kServiceNotFound,
                        "the request's path is not an interface name");
  }
  if (held_.hold(request.interface, copy_of(request))) {
    context_.counters.add(Counter::kHeld);
    return;
  }
  context_.counters.add(Counter::kHeldRefused);
  context_.log.warn(LogKind::kLimit, context_.loop.now(),
                    "too many requests wait for unknown services; further ones are refused");
  answer_error(request, Status::kServiceNotFound,
               "no provider of " + std::string(request.interface) +
                   " is known, and too many requests wait for unknown services already");
}

HeldRequest Outbound::copy_of(const OutboundRequest& request) {
  const dubbo::Bytes frame = request.frame.bytes;
  HeldRequest copy{
      request.consumer, request.received, {frame.begin(), frame.end()}, request.history};
  // A request that comes back from a lost connection has the id of that connection in its bytes.
  dubbo::write_request_id(copy.frame.data(), request.header().request_id);
  return copy;
}

void Outbound::update_route(std::shared_ptr<const governance::ServiceRoute> route) {
  const std::string interface = route->interface;
  routes_.update(std::move(route));
  for (const HeldRequest& held : held_.take(interface)) {
    OutboundRequest request(held, context_.loop.turn_memory());
    process(request);
  }
}

void Outbound::remove_route(const std::string& interface) { routes_.remove(interface); }

void Outbound::on_hold_over(const std::string& interface, const HeldRequest& held) {
  OutboundRequest request(held, context_.loop.turn_memory());
  answer_error(request, Status::kServiceNotFound,
               "no provider of " + interface + " was found within " +
                   std::to_string(context_.config.hold_time.count()) +
                   " ms; is it published, and is the agent's registry connected (skiff status)?");
}

// --- route

ClusterState* Outbound::choose_cluster(OutboundRequest& request, ServiceEntry& service) {
  std::vector<ClusterState>& clusters = service.clusters();
  if (!request.head_readable) return clusters.empty() ? nullptr : &clusters.front();
  const std::string_view group = request.group.value_or("");
  const auto matches = [&](const ClusterState& cluster) {
    return dubbo::version_matches(request.head.version, cluster.spec->version) &&
           (!request.attachments_readable || dubbo::group_matches(group, cluster.spec->group));
  };
  ClusterState* chosen = nullptr;
  std::uint64_t count = 0;
  // Several only where the request asks for any group or version: each is chosen as often.
  for (ClusterState& cluster : clusters) {
    if (!matches(cluster)) continue;
    if (++count == 1 || context_.random() % count == 0) chosen = &cluster;
  }
  return count > 1 && !request.attachments_readable ? nullptr : chosen;
}

void Outbound::explain_no_cluster(OutboundRequest& request, ServiceEntry& service) {
  const auto same_version = std::ranges::count_if(service.clusters(), [&](const ClusterState& c) {
    return dubbo::version_matches(request.head.version, c.spec->version);
  });
  if (same_version > 1 && !request.attachments_readable) {
    return answer_error(request, Status::kBadRequest,
                        "the attachments of this request cannot be read, and " +
                            std::string(request.interface) +
                            " is provided by several groups: " + service.known_clusters());
  }
  answer_error(request, Status::kServiceNotFound,
               "no provider of " + request.describe() + " group '" +
                   std::string(request.group.value_or("")) +
                   "' is registered; providers of this interface: " + service.known_clusters());
}

bool Outbound::apply_rules(OutboundRequest& request, const ServiceEntry& service,
                           ClusterState& cluster) {
  RandomDraw draw(context_.random);
  request.choice = cluster.routing.choose(request.view, draw);
  request.history.mode = request.choice.policy->mode;
  request.route = service.note_of(cluster, request.choice);
  if (!request.choice.is_refused()) return true;
  context_.counters.add(Counter::kRefusedByRule);
  std::string why = "a rule leaves no provider of " + request.describe() +
                    " for this request: " + request.choice.refused_by->name();
  if (!request.choice.refusal.empty()) why.append(": ").append(request.choice.refusal);
  answer_error(request, Status::kServerError, why + "; `skiff explain` shows how it is routed",
               Outcome::kRefused);
  return false;
}

}  // namespace skiff::forwarder
