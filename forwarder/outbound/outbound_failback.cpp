// Requests that failed and are sent again while nobody waits for them: cluster=failback.
#include <utility>

#include "forwarder/limits.h"
#include "forwarder/outbound/outbound.h"

namespace skiff::forwarder {

// A request of which no copy was kept cannot be sent again.
void Outbound::send_later(Slot& slot) {
  HeldRequest request;
  const dubbo::Bytes frame(slot.kept.data(), slot.kept_size);
  if (slot.kept.capacity() > 0) request.frame.assign(frame.begin(), frame.end());
  request.history.added_attachments = slot.kept_attachments;
  request.history.failback_left = slot.failback_left;
  request.history.is_past_mirrors = true;
  request.history.mode = slot.mode;  // also where it is not routed any more when it is due
  queue_failback(std::move(request));
}

void Outbound::send_later(const OutboundRequest& request) {
  HeldRequest copy = copy_of(request);
  copy.consumer = Handle{};
  copy.history = RequestHistory();
  copy.history.added_attachments = request.history.added_attachments;
  copy.history.failback_left = request.history.failback_left;
  copy.history.is_past_mirrors = true;
  copy.history.mode = request.history.mode;
  queue_failback(std::move(copy));
}

void Outbound::queue_failback(HeldRequest request) {
  const std::uint8_t left = request.history.failback_left.value_or(limits::kFailbackTriesMax);
  request.history.failback_left = static_cast<std::uint8_t>(left - 1);
  const std::size_t bytes = request.frame.size();
  if (left > 0 && bytes > 0 && failback_.has_room_for(bytes)) {
    return failback_.add(context_.config.failback_pause, std::move(request));
  }
  context_.counters.add(Counter::kFailbackGivenUp);
  context_.log.warn(LogKind::kLimit, context_.loop.now(),
                    left == 0
                        ? "a request of cluster=failback is given up: it failed again and again"
                        : "a request of cluster=failback is given up: too many wait, or it "
                          "is too large to be kept");
}

// Its time begins anew.
void Outbound::on_failback_due(const HeldRequest& due) {
  OutboundRequest request(due, context_.loop.turn_memory());
  request.received = context_.loop.now();
  context_.counters.add(Counter::kFailbackSent);
  process(request);
}

}  // namespace skiff::forwarder
