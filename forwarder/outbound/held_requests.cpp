#include "forwarder/outbound/held_requests.h"

#include <algorithm>
#include <utility>

#include "forwarder/limits.h"

namespace skiff::forwarder {

using std::chrono::milliseconds;

HeldRequests::Group::Group(HeldRequests& held_requests, std::string group_interface)
    : owner(held_requests),
      interface(std::move(group_interface)),
      timer(
          [](void* self) {
            auto* group = static_cast<Group*>(self);
            group->owner.expire(std::string(group->interface));
          },
          this) {}

bool HeldRequests::hold(std::string_view interface, HeldRequest request) {
  if (count_ >= limits::kHeldRequestsMax || bytes_ + request.frame.size() > limits::kHeldBytesMax) {
    return false;
  }
  auto found = groups_.find(interface);
  if (found == groups_.end()) {
    auto group = std::make_unique<Group>(*this, std::string(interface));
    found = groups_.emplace(std::string(interface), std::move(group)).first;
    context_.observer.need_service(found->first);
  }
  ++count_;
  bytes_ += request.frame.size();
  Group& group = *found->second;
  group.requests.push_back(std::move(request));
  if (group.requests.size() == 1) arm(group);
  return true;
}

std::deque<HeldRequest> HeldRequests::take(const std::string& interface) {
  const auto found = groups_.find(interface);
  if (found == groups_.end()) return {};
  std::deque<HeldRequest> requests = std::move(found->second->requests);
  groups_.erase(found);
  for (const HeldRequest& request : requests) forget(request);
  return requests;
}

void HeldRequests::expire(const std::string& interface) {
  Group& group = *groups_.find(interface)->second;
  std::vector<HeldRequest> over;
  const TimePoint now = context_.loop.now();
  while (!group.requests.empty() &&
         now - group.requests.front().received >= context_.config.hold_time) {
    over.push_back(std::move(group.requests.front()));
    group.requests.pop_front();
    forget(over.back());
  }
  if (group.requests.empty()) {
    groups_.erase(interface);
  } else {
    arm(group);
  }
  for (const HeldRequest& request : over) expired_(interface, request);
}

void HeldRequests::forget(const HeldRequest& request) {
  --count_;
  bytes_ -= request.frame.size();
}

void HeldRequests::arm(Group& group) {
  const auto waited = std::chrono::duration_cast<milliseconds>(context_.loop.now() -
                                                               group.requests.front().received);
  context_.loop.arm(group.timer, std::max(context_.config.hold_time - waited, milliseconds(0)));
}

}  // namespace skiff::forwarder
