#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "registry/registry.h"

namespace skiff::registry {

// What the registry side counts. Written and read on the control thread.
struct RegistryMetrics {
  // Since start.
  std::uint64_t lists_received = 0;       // from registries, changed or not
  std::uint64_t lists_applied = 0;        // given to the data plane: one rebuild of a route each
  std::uint64_t lists_gone_stale = 0;     // became empty; the last one stayed in use
  std::uint64_t stale_lists_ended = 0;    // believed to be empty in the end
  std::uint64_t brakes = 0;               // times that too many providers vanished at once
  std::array<std::uint64_t, 4> probes{};  // by ProbeResult
  std::uint64_t held_found_dead = 0;      // held providers that were let go since they are dead
  std::uint64_t held_too_long = 0;        // and since their time was over
  std::uint64_t deaf_watches = 0;         // changes that no event told
  std::uint64_t lost_nodes = 0;           // nodes of ours that had gone, or belonged to others
  std::uint64_t lost_sessions = 0;        // that ended with all nodes of theirs
  std::array<std::uint64_t, kApplicationFaults> application_faults{};  // by ApplicationFault
  std::uint64_t rule_changes = 0;       // of the rules about a subject in a registry
  std::uint64_t rule_failures = 0;      // readings of rules that failed, or were over a limit
  std::uint64_t rules_over_limits = 0;  // those over a limit among them

  // Now.
  std::size_t stale_lists = 0;
  std::size_t kept_providers = 0;  // in use, though not listed
  bool is_frozen = false;
  std::size_t waiting_lists = 0;   // changed since the freeze
  std::size_t rule_urls = 0;       // that concern this agent
  std::size_t rule_documents = 0;  // likewise
  std::size_t waiting_writes = 0;  // nodes that wait for their turn to be created or deleted
};

}  // namespace skiff::registry
