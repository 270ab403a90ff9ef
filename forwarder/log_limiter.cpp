#include "forwarder/log_limiter.h"

#include <spdlog/spdlog.h>

#include "forwarder/limits.h"

namespace skiff::forwarder {

bool LogLimiter::admits(LogKind kind, TimePoint now) {
  Gate& gate = gates_[static_cast<std::size_t>(kind)];
  if (now >= gate.open_at) return true;
  ++gate.left_out;
  return false;
}

void LogLimiter::warn(LogKind kind, TimePoint now, const std::string& sentence) {
  if (!admits(kind, now)) return;
  Gate& gate = gates_[static_cast<std::size_t>(kind)];
  if (gate.left_out == 0) {
    spdlog::warn("{}", sentence);
  } else {
    spdlog::warn("{} ({} more like this since the last line)", sentence, gate.left_out);
  }
  gate.left_out = 0;
  gate.open_at = now + limits::kLogInterval;
}

}  // namespace skiff::forwarder
