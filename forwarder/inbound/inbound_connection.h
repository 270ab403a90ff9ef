#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "forwarder/connection_counts.h"
#include "forwarder/frame_connection.h"
#include "forwarder/handle_table.h"
#include "forwarder/inbound/local_services.h"
#include "forwarder/inbound/pending_requests.h"
#include "forwarder/inbound/provider_link.h"
#include "forwarder/worker_context.h"

namespace skiff::forwarder {

class Inbound;

// A connection to the inbound port, from another agent or a plain consumer, with its own
// connection(s) to the local provider, so that callbacks and what a provider keeps per channel
// work. Frames pass unread; their headers are counted. Owned by Inbound. Lives on its worker's
// thread.
class InboundConnection final : public FrameConnection {
 public:
  InboundConnection(WorkerContext& context, Inbound& inbound, AcceptedSocket socket);
  // Either: of one that was accepted, or from a predecessor, without its descriptor.
  Result<void> begin(Handle handle);
  Result<void> begin(Handle handle, CarriedInbound carried);

  Handle handle() const { return handle_; }
  std::size_t pending() const { return pending_.size(); }

  // Says READONLY. finish_if_quiet() then ends it once nothing is pending and nothing came for a
  // while.
  void drain();
  void finish_if_quiet();

  // --- to a successor (handover.h), in inbound_connection_carried.cpp. Empty where it stays here,
  // since it is about to end.
  std::optional<CarriedInbound> carry();
  void carry_back();
  void leave_carried();

  // Says READONLY where all local providers that it used are down or leave, and WRITEABLE when one
  // is back before finish_if_readonly() has closed it, once nothing is pending.
  void follow_providers();
  void finish_if_readonly();
  void add_traffic_of(std::uint16_t port, LocalTraffic& sum) const;
  bool is_readonly() const { return readonly_since_.has_value(); }

  // Reads again from whom nothing holds back any more.
  void let_go();

  // From ProviderLink.
  void on_provider_frame(ProviderLink& link, const Frame& frame);
  void on_provider_oversized(ProviderLink& link, const dubbo::FrameHeader& header);
  void on_provider_drained();
  void on_provider_closed(ProviderLink& link, bool was_connecting, const std::string& reason);

 private:
  void on_frame(const Frame& frame) override;
  OversizedFrame on_oversized(const dubbo::FrameHeader& header) override;
  void on_foreign_bytes(dubbo::Bytes bytes) override;
  void on_end_of_input() override;
  void on_output_drained() override;
  void on_closed(const std::string& reason) override;

  void on_event(const Frame& frame);
  void relay_request(const Frame& frame);
  void refuse(const dubbo::FrameHeader& request, dubbo::Status status, const std::string& message);
  void refuse_for_dead_provider(const dubbo::FrameHeader& request,
                                const LocalServices::Destination& destination);
  void note_use_of(std::uint16_t port);
  void relay_callback_answer(const Frame& frame);
  void relay_callback(ProviderLink& link, const Frame& frame);
  void relay_to_consumer(const Frame& frame);
  // The open or connecting link to `port`; an error where it failed at once.
  Result<ProviderLink*> link_to(std::uint16_t port);
  ProviderLink* find_link(std::uint16_t port) const;
  void answer_error(std::uint64_t request_id, dubbo::Serialization serialization,
                    dubbo::Status status, const std::string& message);
  // Back-pressure: whoever sends faster than the other side takes it is not read from.
  void hold_back();
  bool waits_for_a_provider() const;
  void finish_if_nothing_pending();
  void remember(PendingRequests& where, const dubbo::FrameHeader& header, std::uint16_t port);
  // Whether one more request may wait for its answer.
  bool has_room();
  bool is_quiet_since(TimePoint time) const;
  bool has_nothing_under_way() const;
  void forget_abandoned();
  void give_up_older_than(std::chrono::milliseconds age);

  struct UsedPort {
    std::uint16_t port = 0;
    TimePoint last_request{};
  };

  WorkerContext& context_;
  Inbound& inbound_;
  ConnectionTicket ticket_;
  Handle handle_;
  std::vector<std::unique_ptr<ProviderLink>> links_;
  PendingRequests pending_;
  PendingRequests callbacks_;  // two-way requests of the provider to this consumer
  bool leaving_ = false;       // finish when nothing is pending
  bool is_carried_ = false;
  TimePoint draining_since_{};
  std::vector<UsedPort> used_ports_;         // of local providers, since it was opened
  std::optional<TimePoint> readonly_since_;  // all of them are down
  // Runs out every abandoned_time from the first request on, so that one may be kept for twice
  // that.
  Timer abandoned_timer_;
  std::uint32_t made_room_at_s_ = 0;  // when has_room() last looked for abandoned requests
};

}  // namespace skiff::forwarder
