#pragma once

#include <cstdint>
#include <string>

#include "forwarder/frame_connection.h"
#include "forwarder/silence_watch.h"
#include "forwarder/worker_context.h"

namespace skiff::forwarder {

class InboundConnection;

// The local provider's end of an inbound connection: one for each local port that the consumer's
// requests go to. Owned by its InboundConnection. Lives on its worker's thread.
class ProviderLink final : public FrameConnection {
 public:
  // begin() or, with what a predecessor had, begin_from() must follow.
  ProviderLink(WorkerContext& context, InboundConnection& owner, std::uint16_t port, Fd fd,
               bool is_connecting);
  Result<void> begin();
  Result<void> begin_from(const CarriedSocket& carried);
  // It was carried, and will be closed.
  void leave_output_to_successor() { output().clear(); }

  std::uint16_t port() const { return port_; }

  // One-way requests that were appended and of which nothing was sent.
  std::size_t unsent_one_way();

 private:
  void on_connected() override;
  void on_frame(const Frame& frame) override;
  OversizedFrame on_oversized(const dubbo::FrameHeader& header) override;
  void on_foreign_bytes(dubbo::Bytes bytes) override;
  void on_output_drained() override;
  void on_closed(const std::string& reason) override;
  void on_timer();

  WorkerContext& context_;
  InboundConnection& owner_;
  std::uint16_t port_;
  bool was_connected_ = false;
  SilenceWatch silence_;
  Timer timer_;  // while connecting: the limit; afterwards: heartbeats
};

}  // namespace skiff::forwarder
