#pragma once

#include <string>

#include "forwarder/frame_connection.h"
#include "forwarder/worker_context.h"

namespace skiff::forwarder {

class DownstreamConnection;

// Where a predecessor writes the answers that it still owes a consumer, frame by frame, until it
// has none left (handover.h). Owned by that consumer's connection. Lives on its worker's thread.
class AnswerRelay final : public FrameConnection {
 public:
  AnswerRelay(WorkerContext& context, DownstreamConnection& consumer, Fd fd);
  Result<void> begin(const CarriedSocket& carried) { return start_from(carried); }
  using FrameConnection::leave_to_successor;

 private:
  void on_frame(const Frame& frame) override;
  // As long as the predecessor took it, the consumer gets it.
  OversizedFrame on_oversized(const dubbo::FrameHeader& header) override;
  void on_foreign_bytes(dubbo::Bytes bytes) override;
  void on_closed(const std::string& reason) override;

  WorkerContext& context_;
  DownstreamConnection& consumer_;
};

}  // namespace skiff::forwarder
