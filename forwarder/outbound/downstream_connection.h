#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "forwarder/connection_counts.h"
#include "forwarder/frame_connection.h"
#include "forwarder/handle_table.h"
#include "forwarder/worker_context.h"

namespace skiff::forwarder {

class Outbound;

// A consumer's connection to the outbound port. Owned by Outbound. Lives on its worker's thread.
class DownstreamConnection final : public FrameConnection {
 public:
  DownstreamConnection(WorkerContext& context, Outbound& outbound, AcceptedSocket socket);
  Result<void> begin(Handle handle);

  Handle handle() const { return handle_; }
  // "127.0.0.1:51234"
  const std::string& peer_address();

  // A two-way request was read that the agent owes an answer; one call of answer() must follow.
  void owe_answer() { ++owed_; }
  // Sends the answer to a request, a frame in the turn's memory. False where the consumer is
  // closed, perhaps because it reads nothing.
  bool answer(std::span<std::byte> frame);

  // Closes as soon as nothing is owed.
  void drain();

 private:
  void on_frame(const Frame& frame) override;
  OversizedFrame on_oversized(const dubbo::FrameHeader& header) override;
  void on_foreign_bytes(dubbo::Bytes bytes) override;
  void on_end_of_input() override;
  void on_output_drained() override;
  void on_closed(const std::string& reason) override;

  void on_event(const Frame& frame);
  bool append(std::span<std::byte> frame);

  WorkerContext& context_;
  Outbound& outbound_;
  ConnectionTicket ticket_;
  Handle handle_;
  std::string peer_address_;  // empty until it is asked for
  std::uint32_t owed_ = 0;
  bool leaving_ = false;  // finish when nothing is owed
};

}  // namespace skiff::forwarder
