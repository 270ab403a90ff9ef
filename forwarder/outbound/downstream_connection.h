#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "forwarder/connection_counts.h"
#include "forwarder/frame_connection.h"
#include "forwarder/handle_table.h"
#include "forwarder/outbound/answer_relay.h"
#include "forwarder/worker_context.h"

namespace skiff::forwarder {

class Outbound;

// A consumer's connection to the outbound port. Owned by Outbound. Lives on its worker's thread.
class DownstreamConnection final : public FrameConnection {
 public:
  DownstreamConnection(WorkerContext& context, Outbound& outbound, AcceptedSocket socket);
  // Either: of one that was accepted, or from a predecessor, without its descriptor.
  Result<void> begin(Handle handle);
  Result<void> begin(Handle handle, CarriedConsumer carried);

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
  // The same with its process; one that is kept goes on in the store.
  void leave();

  // --- to a successor (handover.h). Empty where it stays here, since it is about to end.
  std::optional<CarriedConsumer> carry();
  void carry_back();
  // Where it is carried: answers that are still owed go to the successor, then it closes.
  void leave_carried();

  // From relays of a predecessor's answers.
  void on_relayed(AnswerRelay& relay, std::span<std::byte> answer);
  void on_relay_closed(AnswerRelay& relay);

 private:
  void on_frame(const Frame& frame) override;
  OversizedFrame on_oversized(const dubbo::FrameHeader& header) override;
  void on_foreign_bytes(dubbo::Bytes bytes) override;
  void on_end_of_input() override;
  void on_output_drained() override;
  void on_closed(const std::string& reason) override;

  void on_event(const Frame& frame);
  bool append(std::span<std::byte> frame);
  void finish_if_nothing_owed();

  WorkerContext& context_;
  Outbound& outbound_;
  ConnectionTicket ticket_;
  Handle handle_;
  std::string peer_address_;  // empty until it is asked for
  std::uint32_t owed_ = 0;
  bool leaving_ = false;       // finish when nothing is owed
  bool is_for_store_ = false;  // it does not finish then, but goes to the store
  bool is_carried_ = false;
  Fd to_successor_;  // for the answers that are owed when it is carried
  // Of predecessors' answers, each until its last one.
  std::vector<std::unique_ptr<AnswerRelay>> relays_;
};

}  // namespace skiff::forwarder
