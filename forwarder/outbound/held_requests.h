#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dubbo/frame.h"
#include "forwarder/handle_table.h"
#include "forwarder/outbound/request_history.h"
#include "forwarder/text_map.h"
#include "forwarder/worker_context.h"

namespace skiff::forwarder {

// A copy of a request that goes on later: when the providers of its service are known, when one can
// be connected to, when a filter's delay is over, when it is to be tried again.
struct HeldRequest {
  Handle consumer;
  TimePoint received;
  std::vector<std::byte> frame;  // with the consumer's id
  RequestHistory history;
};

// Requests for services without a route, by interface. Bounded in number and bytes. Lives on its
// worker's thread.
class HeldRequests {
 public:
  // Called with each request whose hold time is over.
  using Expired = std::function<void(const std::string& interface, const HeldRequest&)>;

  HeldRequests(WorkerContext& context, Expired expired)
      : context_(context), expired_(std::move(expired)) {}

  // False where a limit is reached. Asks the observer for the service where nobody waits for it
  // yet.
  bool hold(std::string_view interface, HeldRequest request);
  // What waits for `interface`, in the order it came.
  std::deque<HeldRequest> take(const std::string& interface);

  std::size_t size() const { return count_; }

 private:
  struct Group {
    Group(HeldRequests& held_requests, std::string group_interface);

    HeldRequests& owner;
    std::string interface;
    std::deque<HeldRequest> requests;
    Timer timer;  // of the first one
  };

  void expire(const std::string& interface);
  void forget(const HeldRequest& request);
  void arm(Group& group);

  WorkerContext& context_;
  Expired expired_;
  TextMap<std::unique_ptr<Group>> groups_;
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace skiff::forwarder
