#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "forwarder/timer_wheel.h"

namespace skiff::forwarder {

// The kinds of lines that traffic can cause, and that a hostile or broken peer could cause without
// end.
enum class LogKind : std::size_t {
  kForeignPeer,
  kForeignProtocol,
  kOversized,
  kAcceptFailed,
  kConnectFailed,
  kEjected,
  kUpstreamLost,
  kUpstreamReadonly,
  kSlowConsumer,
  kLimit,
  kRequestFailed,
  kAnsweredNull,
  kEditsLeftOut,
  kMirrorFailed,
  kCount
};

// Writes at most one warning of a kind per limits::kLogInterval, with the number of those left out
// since. Lives on its worker's thread.
class LogLimiter {
 public:
  void warn(LogKind kind, TimePoint now, const std::string& sentence);
  // Whether warn() writes now; where it does not, one more is left out. For sentences that take
  // time to make.
  bool admits(LogKind kind, TimePoint now);

 private:
  struct Gate {
    TimePoint open_at{};
    std::uint64_t left_out = 0;
  };
  std::array<Gate, static_cast<std::size_t>(LogKind::kCount)> gates_;
};

}  // namespace skiff::forwarder
