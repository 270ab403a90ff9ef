#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>

#include "registry/alive.h"
#include "registry/executor.h"
#include "registry/publications.h"

namespace skiff::registry {

// Publications that end unless they are renewed. Lives on the control thread.
class Leases {
 public:
  // `on_end` is told of a lease that was not renewed for its whole time, at most a quarter of it
  // late. `executor` must outlive it.
  Leases(Executor& executor, std::function<void(const PublicationId&)> on_end)
      : executor_(executor), on_end_(std::move(on_end)) {}

  // Begins or renews it; empty: it has none (any more).
  void renew(const PublicationId& id, std::optional<std::chrono::milliseconds> lease);
  void end(const PublicationId& id) { leases_.erase(id); }

 private:
  // Time is counted in quarters of a lease, with one timer under way however often it is renewed.
  static constexpr unsigned kQuarters = 4;
  struct Lease {
    std::uint64_t number = 0;
    std::chrono::milliseconds length{};
    unsigned quarters_left = 0;
  };

  void await_quarter(const PublicationId& id, const Lease& lease);
  void on_quarter(const PublicationId& id, std::uint64_t number);

  Executor& executor_;
  const std::function<void(const PublicationId&)> on_end_;
  Alive alive_;
  std::uint64_t last_number_ = 0;
  std::map<PublicationId, Lease> leases_;
};

}  // namespace skiff::registry
