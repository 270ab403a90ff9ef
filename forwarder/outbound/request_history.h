#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace skiff::forwarder {

// What became of a request so far.
struct RequestHistory {
  int attempts = 0;   // to send it
  std::string tried;  // " 10.0.0.5:20882 (connection refused)" for each that failed
  // Of a request whose connection was lost: where, so that it goes elsewhere if it can; and, where
  // it was sent, how often it may still be sent.
  std::string lost_at;
  std::optional<std::uint32_t> retries_left;
};

}  // namespace skiff::forwarder
