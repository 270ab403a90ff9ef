#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dubbo/serialization.h"
#include "forwarder/buffer_pool.h"
#include "forwarder/handle_table.h"
#include "forwarder/outbound/request_history.h"
#include "forwarder/outbound/route_note.h"
#include "forwarder/outbound/route_table.h"
#include "forwarder/timer_wheel.h"

namespace skiff::forwarder {

class Outbound;
class UpstreamConnection;

// A two-way request that was handed to an upstream connection and has no answer yet.
struct Slot {
  Slot(Outbound& slot_owner, Timer::Callback on_deadline)
      : owner(slot_owner), deadline(on_deadline, this) {}

  Outbound& owner;
  Timer deadline;
  std::uint64_t request_id = 0;  // the consumer's
  Handle consumer;
  UpstreamConnection* upstream = nullptr;  // null: the slot is free
  MethodEntry* method = nullptr;           // null where the head could not be read
  MethodCells* traffic = nullptr;          // null: TrafficTable::unknown()
  TimePoint received;
  TimePoint sent;  // this time; once its turn is over, the end of it
  std::chrono::milliseconds timeout{0};
  Slot* previous = nullptr;  // of the same upstream
  Slot* next = nullptr;
  std::uint32_t index = 0;
  std::uint32_t generation = 0;
  std::uint32_t retries_left = 0;  // after it was sent; only with `kept`
  std::uint32_t kept_size = 0;
  std::uint32_t request_size = 0;      // bytes
  std::uint8_t added_attachments = 0;  // in the frame that was sent
  std::uint8_t kept_attachments = 0;   // of those, in `kept`
  bool retries_elsewhere_only = false;
  governance::ClusterMode mode = governance::ClusterMode::kFailover;
  std::optional<std::uint8_t> failback_left;  // RequestHistory's
  Handle fan_out;                             // of forking and broadcast
  Handle record;                              // RequestHistory's
  bool is_shadow = false;                     // RequestHistory's
  RouteNote route;
  dubbo::Serialization serialization = dubbo::Serialization::kHessian2;
  std::unique_ptr<RequestHistory> history;  // null at the first attempt
  PooledBlock kept;                         // the frame as it came here, to be sent again

  // The id that the provider sees. A late answer to an earlier request in this slot carries another
  // generation.
  std::uint64_t wire_id() const { return std::uint64_t{generation} << 32 | index; }
};

// The slots of one worker; they have stable addresses. Lives on its worker's thread.
class SlotTable {
 public:
  // The wire id of one-way requests, which have no slot: no index is like it. `note` is for whoever
  // gets the frame back unsent.
  static constexpr std::uint64_t one_way_id(std::uint32_t note) {
    return std::uint64_t{note} << 32 | UINT32_MAX;
  }

  // `on_deadline` is called with the Slot whose deadline came.
  SlotTable(Outbound& owner, Timer::Callback on_deadline, std::uint32_t limit)
      : owner_(owner), on_deadline_(on_deadline), limit_(limit) {}

  // nullptr where all slots are in use. The caller sets `upstream`.
  Slot* take();
  void give_back(Slot& slot);
  // The slot in use that `wire_id` names, nullptr where there is none.
  Slot* find(std::uint64_t wire_id) const;

  std::uint32_t in_use() const { return static_cast<std::uint32_t>(slots_.size() - free_.size()); }

 private:
  Outbound& owner_;
  Timer::Callback on_deadline_;
  std::uint32_t limit_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::vector<std::uint32_t> free_;
};

}  // namespace skiff::forwarder
