#pragma once

#include <cstdint>
#include <string>

#include "forwarder/frame_connection.h"
#include "forwarder/handle_table.h"
#include "forwarder/outbound/slot_table.h"
#include "forwarder/silence_watch.h"
#include "forwarder/worker_context.h"

namespace skiff::forwarder {

class Endpoint;
class Outbound;
class UpstreamPool;

// A connection to a provider that carries requests of many consumers. Owned by its UpstreamPool.
// Lives on its worker's thread.
class UpstreamConnection final : public FrameConnection {
 public:
  // `fd` is connecting; begin() must follow.
  UpstreamConnection(WorkerContext& context, Outbound& outbound, UpstreamPool& pool,
                     Endpoint& endpoint, Fd fd);
  Result<void> begin();

  void set_handle(Handle handle) { handle_ = handle; }
  Handle handle() const { return handle_; }
  // nullptr after retire(), and once it closed.
  Endpoint* endpoint() const { return endpoint_; }
  const std::string& address() const { return address_; }
  bool was_connected() const { return was_connected_; }
  // The provider said that it wants nothing new.
  bool is_readonly() const { return readonly_; }

  // No route leads here any more: closes when nothing is in flight.
  void retire();

  // Requests in flight here, in the order they were sent.
  void add(Slot& slot);
  void remove(Slot& slot);
  Slot* first_slot() const { return first_; }
  std::size_t in_flight() const { return in_flight_; }
  std::size_t request_bytes_in_flight() const { return request_bytes_in_flight_; }

  // Calls visit(Frame) for each frame of which nothing was sent.
  template <typename Visit>
  void for_each_unsent_frame(Visit visit) {
    output().for_each_unsent_frame(visit);
  }

 private:
  void on_connected() override;
  void on_frame(const Frame& frame) override;
  OversizedFrame on_oversized(const dubbo::FrameHeader& header) override;
  void on_foreign_bytes(dubbo::Bytes bytes) override;
  void on_closed(const std::string& reason) override;

  void reply(dubbo::Bytes frame, Counter counter);
  void on_event(const Frame& frame);
  void refuse_callback(const Frame& frame);
  void leave_endpoint();
  void close_if_retired_and_idle();
  void on_timer();

  WorkerContext& context_;
  Outbound& outbound_;
  UpstreamPool& pool_;
  Endpoint* endpoint_;
  std::string address_;
  Handle handle_;
  Slot* first_ = nullptr;
  Slot* last_ = nullptr;
  std::size_t in_flight_ = 0;
  std::size_t request_bytes_in_flight_ = 0;
  bool readonly_ = false;
  bool was_connected_ = false;
  std::uint64_t next_heartbeat_id_ = 1;
  SilenceWatch silence_;
  Timer timer_;  // while connecting: the limit; afterwards: heartbeats
};

}  // namespace skiff::forwarder
