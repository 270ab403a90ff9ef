#include "forwarder/outbound/answer_relay.h"

#include <utility>

#include "forwarder/limits.h"
#include "forwarder/outbound/downstream_connection.h"

namespace skiff::forwarder {

AnswerRelay::AnswerRelay(WorkerContext& context, DownstreamConnection& consumer, Fd fd,
                         std::uint32_t owed)
    : FrameConnection(context.loop, std::move(fd), false, limits::kSkippedBodyMax),
      context_(context),
      consumer_(consumer),
      owed_(owed) {}

void AnswerRelay::on_frame(const Frame& frame) {
  if (owed_ > 0) --owed_;
  consumer_.on_relayed(*this, frame.bytes);
}

FrameConnection::OversizedFrame AnswerRelay::on_oversized(const dubbo::FrameHeader& /*header*/) {
  context_.counters.add(Counter::kOversized);
  return OversizedFrame::kSkipIt;
}

void AnswerRelay::on_foreign_bytes(dubbo::Bytes /*bytes*/) {
  context_.counters.add(Counter::kForeignProtocol);
}

void AnswerRelay::on_closed(const std::string& /*reason*/) { consumer_.on_relay_closed(*this); }

}  // namespace skiff::forwarder
