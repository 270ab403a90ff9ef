#include "forwarder/outbound/failback_queue.h"

#include <algorithm>
#include <chrono>

#include "forwarder/limits.h"

namespace skiff::forwarder {

using std::chrono::milliseconds;

FailbackQueue::FailbackQueue(WorkerContext& context, Due due)
    : context_(context),
      due_(std::move(due)),
      timer_([](void* self) { static_cast<FailbackQueue*>(self)->on_timer(); }, this) {}

bool FailbackQueue::add(HeldRequest request) {
  if (waiting_.size() >= limits::kFailbackRequestsMax ||
      bytes_ + request.frame.size() > limits::kFailbackBytesMax) {
    return false;
  }
  bytes_ += request.frame.size();
  waiting_.push_back({context_.loop.now() + context_.config.failback_pause, std::move(request)});
  if (waiting_.size() == 1) arm();
  return true;
}

void FailbackQueue::on_timer() {
  while (!waiting_.empty() && waiting_.front().due <= context_.loop.now()) {
    const HeldRequest request = std::move(waiting_.front().request);
    waiting_.pop_front();
    bytes_ -= request.frame.size();
    due_(request);
  }
  if (!waiting_.empty()) arm();
}

void FailbackQueue::arm() {
  const auto left = std::chrono::ceil<milliseconds>(waiting_.front().due - context_.loop.now());
  context_.loop.arm(timer_, std::max(left, milliseconds(0)));
}

}  // namespace skiff::forwarder
