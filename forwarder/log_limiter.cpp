#include "forwarder/log_limiter.h"

#include <spdlog/spdlog.h>

#include "forwarder/limits.h"

namespace skiff::forwarder {

void LogLimiter::warn(LogKind kind, TimePoint now, const std::string& sentence) {
  Gate& gate = gates_[static_cast<std::size_t>(kind)];
  if (now < gate.open_at) {
    ++gate.left_out;
    return;
  }
  if (gate.left_out == 0) {
    spdlog::warn("{}", sentence);
  } else {
    spdlog::warn("{} ({} more like this since the last line)", sentence, gate.left_out);
  }
  gate.left_out = 0;
  gate.open_at = now + limits::kLogInterval;
}

}  // namespace skiff::forwarder
