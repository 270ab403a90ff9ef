#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "dubbo/result.h"
#include "forwarder/handover.h"

namespace skiff::agent {

// Connections as a text that a successor reads, which may be of another version, and the
// descriptors that it refers to, in order. CBOR: who reads it ignores what it does not know.
struct HandoverState {
  std::string text;
  std::vector<forwarder::Fd> descriptors;
};

inline constexpr std::size_t kMaxHandoverBytes = std::size_t{1} << 30;

HandoverState to_handover_state(forwarder::CarriedConnections connections);
// Fails with kMalformed where the text is none of ours, or needs other descriptors.
Result<forwarder::CarriedConnections> from_handover_state(std::string_view text,
                                                          std::vector<forwarder::Fd> descriptors);

}  // namespace skiff::agent
