#include "forwarder/outbound/delayed_requests.h"

#include <algorithm>
#include <utility>

#include "forwarder/limits.h"

namespace skiff::forwarder {

using std::chrono::milliseconds;

DelayedRequests::DelayedRequests(WorkerContext& context, Due due)
    : context_(context),
      due_(std::move(due)),
      timer_([](void* self) { static_cast<DelayedRequests*>(self)->on_timer(); }, this) {}

bool DelayedRequests::has_room_for(std::size_t frame_bytes) const {
  return waiting_.size() < limits::kDelayedRequestsMax &&
         bytes_ + frame_bytes <= limits::kDelayedBytesMax;
}

void DelayedRequests::add(milliseconds delay, HeldRequest request) {
  bytes_ += request.frame.size();
  waiting_.emplace(context_.loop.now() + delay, std::move(request));
  arm();
}

void DelayedRequests::on_timer() {
  while (!waiting_.empty() && waiting_.begin()->first <= context_.loop.now()) {
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
