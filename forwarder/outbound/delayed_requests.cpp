#include "forwarder/outbound/delayed_requests.h"

#include <algorithm>
#include <utility>

#include "forwarder/limits.h"

namespace skiff::forwarder {

using std::chrono::milliseconds;

DelayedRequests::DelayedRequests(WorkerContext& context, Limits limits, Due due)
    : context_(context),
      limits_(limits),
      due_(std::move(due)),
      timer_([](void* self) { static_cast<DelayedRequests*>(self)->on_timer(); }, this) {}

bool DelayedRequests::has_room_for(std::size_t frame_bytes) const {
  return waiting_.size() < limits_.requests && bytes_ + frame_bytes <= limits_.frame_bytes;
}

void DelayedRequests::add(milliseconds delay, HeldRequest request) {
  bytes_ += request.frame.size();
  waiting_.emplace(context_.loop.now() + delay, std::move(request));
  arm();
}

void DelayedRequests::on_timer() {
  for (std::size_t i = 0; i < limits::kDelayedPerTurnMax && !waiting_.empty() &&
                          waiting_.begin()->first <= context_.loop.now();
       ++i) {
    const auto due = waiting_.extract(waiting_.begin());
    bytes_ -= due.mapped().frame.size();
    due_(due.mapped());
  }
  arm();
}

void DelayedRequests::arm() {
  if (waiting_.empty()) return;
  const auto left = std::chrono::ceil<milliseconds>(waiting_.begin()->first - context_.loop.now());
  context_.loop.arm(timer_, std::max(left, milliseconds(0)));
}

}  // namespace skiff::forwarder
