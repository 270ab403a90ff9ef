#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dubbo/frame.h"
#include "dubbo/serialization.h"
#include "forwarder/handle_table.h"
#include "forwarder/outbound/route_note.h"
#include "governance/policy.h"

namespace skiff::forwarder {

struct MethodCells;
struct MethodEntry;

// Who is owed an answer, and what its cluster makes of a failure.
struct Asker {
  Handle consumer;
  std::uint64_t request_id = 0;  // the consumer's
  dubbo::Serialization serialization = dubbo::Serialization::kHessian2;
  governance::ClusterMode mode = governance::ClusterMode::kFailover;
  Handle record = {};  // FilterRecord
  MethodCells* traffic = nullptr;
  std::chrono::steady_clock::time_point received = {};
  // Of its time, what it spent with a provider; nullopt where it was never sent.
  std::optional<std::chrono::nanoseconds> upstream_time = {};
};

// A two-way request that was sent to several providers at once, for which its consumer gets one
// answer: with kForking the first good one, with kBroadcast one when all have answered. Goes with
// its last slot. Lives on its worker's thread.
struct FanOut {
  Asker asker;
  RouteNote route;
  MethodEntry* method = nullptr;  // null where the head could not be read; slots keep it
  std::size_t waiting = 0;        // slots, and one while it is being sent
  bool is_answered = false;
  std::vector<std::byte> good_answer;  // the last one, of kBroadcast
  // The first failure: what the provider said, or else what we say.
  bool has_failed = false;
  std::vector<std::byte> bad_answer;
  dubbo::Status status = dubbo::Status::kNone;
  std::string error;
};

}  // namespace skiff::forwarder
