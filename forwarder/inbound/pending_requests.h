#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "dubbo/serialization.h"

namespace skiff::forwarder {

// A two-way request that was relayed and has no answer yet.
struct PendingRequest {
  std::uint64_t id = 0;
  std::uint16_t port = 0;  // of the local provider it went to
  dubbo::Serialization serialization = dubbo::Serialization::kHessian2;
  std::uint32_t since_s = 0;  // when it was added, in seconds of the caller's clock
};

// The pending requests of one connection, by id. Some consumers use one id for all their requests,
// so an id may be in it several times. Lives on its worker's thread. No allocation while their
// number stays below what it once was, but for the calls that take several out.
class PendingRequests {
 public:
  std::size_t size() const { return size_; }
  void add(const PendingRequest& request);
  // Takes one request of that id to that port out; nullopt where there is none.
  std::optional<PendingRequest> take(std::uint64_t id, std::uint16_t port);
  // Takes out all that went to `port`.
  std::vector<PendingRequest> take_all(std::uint16_t port);
  // Takes out all that were added before `time_s`.
  std::vector<PendingRequest> take_older_than(std::uint32_t time_s);
  std::vector<PendingRequest> all() const;
  // How many went to `port`; looks at all of them.
  std::size_t count(std::uint16_t port) const;
  // Where a request of that id went; nullopt where there is none.
  std::optional<std::uint16_t> port_of(std::uint64_t id) const;

 private:
  static constexpr std::size_t kSmallest = 8;

  // Open addressing with linear probing; port 0 marks a free place. The table is never more than
  // half full.
  std::size_t home_of(std::uint64_t id) const;
  std::size_t next(std::size_t place) const { return (place + 1) & (places_.size() - 1); }
  void insert(const PendingRequest& request);
  void erase(std::size_t place);
  void grow();
  template <typename Condition>
  std::vector<PendingRequest> take_where(Condition condition);

  std::vector<PendingRequest> places_;
  std::size_t size_ = 0;
};

}  // namespace skiff::forwarder
