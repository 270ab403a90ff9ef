#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dubbo/request.h"
#include "dubbo/response.h"
#include "forwarder/connection_counts.h"
#include "forwarder/explanation.h"
#include "forwarder/outbound/attachment_edits.h"
#include "forwarder/outbound/delayed_requests.h"
#include "forwarder/outbound/downstream_connection.h"
#include "forwarder/outbound/fan_out.h"
#include "forwarder/outbound/filter_records.h"
#include "forwarder/outbound/held_requests.h"
#include "forwarder/outbound/request_arguments.h"
#include "forwarder/outbound/request_history.h"
#include "forwarder/outbound/route_table.h"
#include "forwarder/outbound/slot_table.h"
#include "forwarder/outbound/upstream_pool.h"
#include "forwarder/outbound/waiting_requests.h"
#include "forwarder/worker_context.h"

namespace skiff::forwarder {

// A request on its way from a consumer to a provider. The views live as long as the frame: this
// turn.
struct OutboundRequest {
  OutboundRequest(const Frame& request_frame, Handle from, TimePoint when)
      : frame(request_frame), consumer(from), received(when) {}
  // Copies the held frame into the memory of this turn.
  OutboundRequest(const HeldRequest& held, TurnMemory& memory);

  Frame frame;  // with the consumer's id
  Handle consumer;
  TimePoint received;
  RequestHistory history;

  bool head_readable = false;
  bool attachments_readable = false;
  dubbo::RequestHead head;
  // What its attachments ask for.
  std::optional<std::string_view> group;
  std::optional<std::chrono::milliseconds> timeout;
  std::string_view interface;
  MethodEntry* method = nullptr;
  MethodCells* traffic = nullptr;  // null: TrafficTable::unknown()
  // What rules and balancers see of it, and what the rules made of it.
  governance::RequestView view;
  RouteChoice choice;
  RouteNote route;
  Handle fan_out;                                    // where several providers are sent it
  const governance::FilterChain* filters = nullptr;  // of its route; null: none
  bool tries_any = false;  // also a provider that could not be connected to a moment ago

  const dubbo::FrameHeader& header() const { return frame.header; }
  // "com.example.Demo:1.0.0, method sayHello", as far as it is known.
  std::string describe() const;
};

// The outbound side of one worker: downstream -> request -> route -> balance -> upstream, and the
// answers back. outbound.cpp follows a request through its cluster's rules, outbound_balancing.cpp
// to the choice of its provider, or outbound_fan_out.cpp to that of several; outbound_sending.cpp
// from there to the provider's connection; outbound_answers.cpp has the way back,
// outbound_losses.cpp what becomes of requests whose provider fails them, outbound_failback.cpp of
// those that are sent again later; outbound_filters.cpp asks filters on the way. Lives on its
// worker's thread.
class Outbound : private EventHandler, private WaitingRequests::Owner {
 public:
  explicit Outbound(WorkerContext& context);
  ~Outbound() override;
  Outbound(const Outbound&) = delete;
  Outbound& operator=(const Outbound&) = delete;

  void accept(AcceptedSocket socket);
  // One that a predecessor had accepted.
  void adopt(CarriedConsumer carried, ConnectionTicket ticket);

  // --- to a successor in another process (handover.h)
  // Adds up to `most`.
  void carry(std::vector<CarriedConsumer>& carried, std::size_t most);
  void carry_back();
  void leave_carried();
  // What stays is about to end.
  void leave_to_successor();

  void update_route(std::shared_ptr<const governance::ServiceRoute> route);
  void remove_route(const std::string& interface);
  // At the end of each turn of the loop, when its output was written: what was sent in it is timed
  // from now on, and what ended in it is counted.
  void end_turn();
  // Takes `asked` the way of a request, up to the provider's connection. Sends nothing.
  Explanation explain(const ExplainRequest& asked);

  // Closes every consumer's connection as soon as nothing is owed to it.
  void drain();
  // One-way requests outlive their consumer: they must have left, too.
  bool is_quiet() {
    return consumers_.size() == 0 && held_.size() == 0 && delayed_.size() == 0 &&
           !upstreams_.has_output();
  }

  // From DownstreamConnection.
  void on_request(DownstreamConnection& consumer, const Frame& frame);
  void on_oversized_request(DownstreamConnection& consumer, const dubbo::FrameHeader& header);
  void on_consumer_closed(DownstreamConnection& consumer);
  // From UpstreamConnection.
  void on_response(UpstreamConnection& upstream, const Frame& frame);
  void on_oversized_response(UpstreamConnection& upstream, const dubbo::FrameHeader& header);
  // Its requests are settled at the end of the turn: whoever closed it is still at work.
  void on_upstream_closed(std::unique_ptr<UpstreamConnection> upstream, const std::string& reason);

  const RouteTable& routes() const { return routes_; }
  const UpstreamPool& upstreams() const { return upstreams_; }
  std::size_t consumers() const { return consumers_.size(); }
  std::uint32_t in_flight() const { return slots_.in_use(); }
  std::size_t held() const { return held_.size(); }
  std::size_t waiting() const { return waiting_.size(); }
  std::size_t failback_waiting() const { return failback_.size(); }
  std::size_t delayed() const { return delayed_.size(); }
  std::size_t filtered() const { return records_.size(); }
  std::size_t kept_bytes() const { return kept_bytes_; }

 private:
  void process(OutboundRequest& request);
  // request
  bool decode(OutboundRequest& request);
  void read_wishes(OutboundRequest& request) const;
  ServiceEntry* find_service(OutboundRequest& request);
  void count(OutboundRequest& request, ServiceEntry& service);
  void open_view(OutboundRequest& request);
  void hold(OutboundRequest& request);
  static HeldRequest copy_of(const OutboundRequest& request);
  void on_hold_over(const std::string& interface, const HeldRequest& held);
  // route
  ClusterState* choose_cluster(OutboundRequest& request, ServiceEntry& service);
  void explain_no_cluster(OutboundRequest& request, ServiceEntry& service);
  bool apply_rules(OutboundRequest& request, const ServiceEntry& service, ClusterState& cluster);
  // balance: outbound_balancing.cpp
  struct Attempt {
    std::size_t provider;
    UpstreamConnection* upstream;  // null: it failed at once
  };
  void deliver(OutboundRequest& request, ClusterState& cluster);
  std::optional<Attempt> next_attempt(OutboundRequest& request, ClusterState& cluster);
  UpstreamConnection* connect(OutboundRequest& request, Endpoint& endpoint);
  std::optional<std::size_t> choose_provider(const OutboundRequest& request, ClusterState& cluster);
  std::optional<std::size_t> pick(const OutboundRequest& request, ClusterState& cluster,
                                  Usable usable);
  static std::optional<std::size_t> pick_unbalanced(const RouteChoice& choice,
                                                    const governance::RequestView& request,
                                                    const ClusterState& cluster, Usable usable);
  static bool too_many_failing(const ClusterState& cluster,
                               const governance::ProviderSet& providers);
  // upstream: outbound_sending.cpp
  void send(OutboundRequest& request, ClusterState& cluster, std::size_t provider,
            UpstreamConnection& upstream);
  void note_sent(Endpoint& endpoint);
  void note_attempt(const OutboundRequest& request, const std::string& provider);
  std::chrono::milliseconds timeout_of(const OutboundRequest& request,
                                       const governance::ProviderEndpoint& provider) const;
  // nullopt: it is sent as it came.
  Result<std::optional<dubbo::AttachmentSplice>> plan_changes(
      OutboundRequest& request, const governance::Cluster& cluster,
      const governance::ProviderEndpoint& provider);
  std::span<const std::string_view> removals_for(const OutboundRequest& request) const;
  Result<std::optional<dubbo::AttachmentSplice>> spliced(OutboundRequest& request,
                                                         const dubbo::AttachmentChanges& changes);
  // `added`: attachments that its frame got from us before.
  void keep_for_retry(const OutboundRequest& request, const governance::Cluster& cluster,
                      const governance::ProviderEndpoint& provider, std::uint8_t added, Slot& slot);
  void refuse_for_slots(OutboundRequest& request, std::uint8_t added_attachments);
  // nullptr where too many are in use.
  Slot* take_slot(OutboundRequest& request, UpstreamConnection& upstream,
                  std::chrono::milliseconds timeout);
  void append_frame(const OutboundRequest& request,
                    const std::optional<dubbo::AttachmentSplice>& splice, std::uint64_t wire_id,
                    UpstreamConnection& upstream);
  // The request's frame with inserted_ in it.
  std::span<std::byte> spliced_frame(const OutboundRequest& request,
                                     const dubbo::AttachmentSplice& splice);

  // filters: outbound_filters.cpp. Each false where a filter stops the request.
  class AtFilter;
  bool ask_at_receive(OutboundRequest& request);
  bool ask_before_route(OutboundRequest& request);
  bool ask_after_route(OutboundRequest& request, ClusterState& cluster);
  bool ask_at_send(OutboundRequest& request, const governance::ProviderEndpoint& provider);
  void on_delay_over(const HeldRequest& delayed);
  void leave_out_edits(const OutboundRequest& request, std::string_view why);
  void mirror(const OutboundRequest& request, ClusterState& cluster,
              const governance::Filter& filter);
  struct RequestEnd {
    Outcome outcome;
    TimePoint received;
    MethodCells* traffic = nullptr;               // null: TrafficTable::unknown()
    dubbo::Status status = dubbo::Status::kNone;  // of the answer; kNone: there is none
    bool is_by_agent = false;
    std::string_view error = {};
    std::optional<std::chrono::nanoseconds> upstream_time = {};  // nullopt: it was never sent
    std::size_t answer_bytes = 0;                                // of the provider's
    bool is_counted = true;
  };
  // The request's record, made where it has none.
  FilterRecord& record_of(OutboundRequest& request);
  void follow_for_access_log(OutboundRequest& request);
  void finish(Handle record, const RequestEnd& end);
  void write_end(const FilterRecord& record, const RequestEnd& end);

  // explain: outbound_explain.cpp
  void explain_in(const ExplainRequest& asked, const governance::FilterChain* filters,
                  ClusterState& cluster, Explanation& explanation);
  void add_shares(ClusterState& cluster, const RouteChoice& choice,
                  const governance::RequestView& request, double probability,
                  Explanation& explanation);

  // answers: outbound_answers.cpp
  void note_outcome(const Slot& slot, const Frame& answer);
  // False where the consumer has gone.
  bool relay(Handle consumer, std::uint64_t request_id, std::span<std::byte> answer);
  void relay_and_finish(const Asker& asker, const Frame& answer);
  static Asker asker_of(const Slot& slot, TimePoint now);
  void release(Slot& slot);
  void answer_slot(Slot& slot, dubbo::Status status, const std::string& message) {
    answer_slot(slot, status, message, outcome_of(status));
  }
  void answer_slot(Slot& slot, dubbo::Status status, const std::string& message, Outcome outcome);
  void answer_error(const OutboundRequest& request, dubbo::Status status,
                    const std::string& message) {
    answer_error(request, status, message, outcome_of(status));
  }
  void answer_error(const OutboundRequest& request, dubbo::Status status,
                    const std::string& message, Outcome outcome);
  void log_failure(const MethodEntry* method, const RouteNote& route, dubbo::Status status,
                   const std::string& message);
  void answer_failure(const Asker& asker, dubbo::Status status, const std::string& message,
                      Outcome outcome);
  void write_error(Handle consumer, std::uint64_t request_id, dubbo::Serialization serialization,
                   dubbo::Status status, const std::string& message);

  // several providers at once: outbound_fan_out.cpp
  void fan_out(OutboundRequest& request, ClusterState& cluster);
  void note_targets(Handle record, const std::vector<Attempt>& targets,
                    const ClusterState& cluster);
  Handle begin_fan_out(const OutboundRequest& request);
  std::vector<Attempt> choose_forks(OutboundRequest& request, ClusterState& cluster);
  std::vector<Attempt> connect_to_all(OutboundRequest& request, ClusterState& cluster);
  void send_copy(const OutboundRequest& request, ClusterState& cluster, const Attempt& target);
  void on_fan_out_answer(Slot& slot, const Frame& frame);
  void on_fan_out_failure(Slot& slot, dubbo::Status status, const std::string& message);
  void note_failure(Handle fan_out, dubbo::Status status, const std::string& message);
  void end_part(Handle fan_out);
  void relay_copy(const FanOut& fan_out, dubbo::Bytes answer);
  void note_answering(FanOut& fan_out, const Slot& slot);

  // failures that are sent again later: outbound_failback.cpp
  void send_later(Slot& slot);
  void send_later(const OutboundRequest& request);
  void queue_failback(HeldRequest request);
  void on_failback_due(const HeldRequest& due);

  // losses: outbound_losses.cpp
  struct LostUpstream {
    std::unique_ptr<UpstreamConnection> connection;
    std::string reason;
  };
  void on_deadline(Slot& slot);
  // None of the cluster's providers can be connected to.
  void wait_or_fail(OutboundRequest& request, const ClusterState& cluster);
  bool may_reach(const std::string& interface) override;
  void try_again(const WaitingRequest& waiting, bool tries_any) override;
  void on_wait_over(const WaitingRequest& waiting) override;
  void on_events(std::uint32_t /*events*/) override {}
  void on_flush() override;
  void settle(const LostUpstream& lost);
  void resend(const LostUpstream& lost, const Frame& frame);
  // Whether its consumer is still there, and its time not over.
  bool is_awaited(const Slot& slot) const;
  RetryBudget& retry_budget_of(const Slot& slot);
  void retry(Slot& slot, const std::string& reason);
  PooledBlock take_kept(Slot& slot);

  WorkerContext& context_;
  UpstreamPool upstreams_;
  RouteTable routes_;
  SlotTable slots_;
  HeldRequests held_;
  WaitingRequests waiting_;
  DelayedRequests failback_;
  DelayedRequests delayed_;  // by filters
  FilterRecords records_;
  HandleTable<FanOut> fan_outs_;
  RetryBudget unread_retries_;  // of requests whose head cannot be read
  HandleTable<DownstreamConnection> consumers_;
  std::vector<LostUpstream> lost_;  // in this turn
  // Of this turn: the requests that were sent and those that ended.
  struct SentRequest {
    Slot* slot;
    std::uint32_t generation;
  };
  struct EndedRequest {
    MethodCells* traffic = nullptr;
    Outcome outcome = Outcome::kOk;
    TimePoint received;
    std::optional<std::chrono::nanoseconds> upstream_time;
  };
  std::vector<SentRequest> sent_;
  std::vector<EndedRequest> ended_;
  std::size_t kept_bytes_ = 0;  // in Slot::kept
  std::size_t shadows_ = 0;     // slots of copies that filters sent
  dubbo::RequestReader reader_;
  dubbo::Attachments attachments_;  // of the request in process()
  RequestArguments arguments_{reader_};
  AttachmentEdits edits_;  // what filters do to it
  std::string inserted_;   // attachments that we add to it
  std::vector<std::byte> error_frame_;
};

}  // namespace skiff::forwarder
