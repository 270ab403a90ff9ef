#include "forwarder/outbound/waiting_requests.h"

#include <utility>

#include "forwarder/limits.h"

namespace skiff::forwarder {

WaitingRequests::WaitingRequests(WorkerContext& context, Owner& owner)
    : context_(context),
      owner_(owner),
      timer_([](void* self) { static_cast<WaitingRequests*>(self)->on_timer(); }, this) {}

bool WaitingRequests::add(std::string_view interface, WaitingRequest waiting) {
  if (count_ >= limits::kHeldRequestsMax ||
      bytes_ + waiting.request.frame.size() > limits::kHeldBytesMax ||
      waiting.until < context_.loop.now() + limits::kReconnectPause) {
    return false;
  }
  if (count_ == 0) context_.loop.arm(timer_, limits::kReconnectPause);
  keep(interface, std::move(waiting));
  return true;
}

void WaitingRequests::keep(std::string_view interface, WaitingRequest waiting) {
  ++count_;
  bytes_ += waiting.request.frame.size();
  auto found = groups_.find(interface);
  if (found == groups_.end()) found = groups_.try_emplace(std::string(interface)).first;
  found->second.push_back(std::move(waiting));
}

void WaitingRequests::on_timer() {
  count_ = 0;
  bytes_ = 0;
  for (auto& [interface, group] : std::exchange(groups_, {})) {
    look_after(interface, std::move(group));
  }
  if (count_ > 0) context_.loop.arm(timer_, limits::kReconnectPause);
}

// Who tries in vain queues up behind the others: so each has its turn, whatever group or version
// it asks for.
void WaitingRequests::look_after(const std::string& interface, std::deque<WaitingRequest> group) {
  const TimePoint now = context_.loop.now();
  bool is_first = true;
  bool may_follow = false;
  for (WaitingRequest& waiting : group) {
    if (now >= waiting.until) {
      owner_.on_wait_over(waiting);
    } else if (is_first || may_follow) {
      owner_.try_again(waiting, is_first);
      if (std::exchange(is_first, false)) may_follow = owner_.may_reach(interface);
    } else {
      keep(interface, std::move(waiting));
    }
  }
}

}  // namespace skiff::forwarder
