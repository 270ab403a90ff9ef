#pragma once

#include <cstdint>
#include <string>

#include "forwarder/frame_connection.h"
#include "forwarder/worker_context.h"

namespace skiff::forwarder {

class DownstreamConnection;

// Where a predecessor writes the answers that it still owes a consumer, frame by frame, until it
// has none left (handover.h). Owned by that consumer's connection. Lives on its worker's thread.
class AnswerRelay final : public FrameConnection {
 public:
  // `owed`: how many answers are to come on it.
  AnswerRelay(WorkerContext& context, DownstreamConnection& consumer, Fd fd, std::uint32_t owed);
  Result<void> begin(const CarriedSocket& carried) { return start_from(carried); }
  using FrameConnection::leave_to_successor;
  std::uint32_t owed() const { return owed_; }

 private:
  void on_frame(const Frame& frame) override;
  // As long as the predecessor took it, the consumer gets it.
  OversizedFrame on_oversized(const dubbo::FrameHeader& header) override;
  void on_foreign_bytes(dubbo::Bytes bytes) override;
  void on_closed(const std::string& reason) override;

  WorkerContext& context_;
  DownstreamConnection& consumer_;
  std::uint32_t owed_;
};

}  // namespace skiff::forwarder
