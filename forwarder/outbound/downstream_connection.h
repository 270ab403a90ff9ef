#pragma once

#include <cstdint>
#include <string>

#include "forwarder/frame_connection.h"
#include "forwarder/handle_table.h"
#include "forwarder/worker_context.h"

namespace skiff::forwarder {

class Outbound;

// A consumer's connection to the outbound port. Owned by Outbound. Lives on its worker's thread.
class DownstreamConnection final : public FrameConnection {
 public:
  DownstreamConnection(WorkerContext& context, Outbound& outbound, Fd fd);
  Result<void> begin(Handle handle);

  Handle handle() const { return handle_; }

  // A two-way request was read that the agent owes an answer; one call of answered() must follow.
  void owe_answer() { ++owed_; }
  // Makes room for an answer of `size` bytes, which the caller fills at once; nullptr where the
  // consumer was closed because it reads nothing.
  std::byte* extend_answer(std::size_t size);
  void answered();

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

  WorkerContext& context_;
  Outbound& outbound_;
  Handle handle_;
  std::uint32_t owed_ = 0;
  bool leaving_ = false;  // finish when nothing is owed
};

}  // namespace skiff::forwarder
