#include "registry/zookeeper/client_log.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <mutex>
#include <string_view>
#include <utility>

namespace skiff::registry {
namespace {

constexpr int kMaxClientLines = 6;
constexpr std::chrono::seconds kClientLineWindow{30};

// Lets so many lines through in each window and counts the others. Any thread.
class LineLimit {
 public:
  // Whether a line may be written now; `missed`: how many could not since the last one that was.
  bool admit(int& missed) {
    const auto now = std::chrono::steady_clock::now();
    const std::lock_guard lock(mutex_);
    if (now - window_start_ >= kClientLineWindow) {
      window_start_ = now;
      lines_ = 0;
    }
    if (lines_ == kMaxClientLines) {
      ++missed_;
      return false;
    }
    ++lines_;
    missed = std::exchange(missed_, 0);
    return true;
  }

 private:
  std::mutex mutex_;
  std::chrono::steady_clock::time_point window_start_{};
  int lines_ = 0;
  int missed_ = 0;
};

// A line is "<time>:<pid>:ZOO_WARN@<function>@<line>: <text>".
std::string_view text_of(std::string_view line) {
  if (const auto level = line.find("ZOO_"); level != std::string_view::npos) {
    if (const auto colon = line.find(": ", level); colon != std::string_view::npos) {
      line.remove_prefix(colon + 2);
    }
  }
  while (!line.empty() && line.back() == '\n') line.remove_suffix(1);
  return line;
}

}  // namespace

// The client calls a failed attempt to connect an error, although it goes on trying; so none of its
// levels is an error to us.
void log_client_line(const char* line) {
  static LineLimit limit;
  const std::string_view whole(line);
  const bool is_warning = whole.find("ZOO_ERROR@") != std::string_view::npos ||
                          whole.find("ZOO_WARN@") != std::string_view::npos;
  int missed = 0;
  if (!is_warning || !limit.admit(missed)) {
    spdlog::debug("zookeeper client: {}", text_of(whole));
  } else if (missed == 0) {
    spdlog::warn("zookeeper client: {}", text_of(whole));
  } else {
    spdlog::warn("zookeeper client: {} ({} lines before this one are left out)", text_of(whole),
                 missed);
  }
}

}  // namespace skiff::registry
