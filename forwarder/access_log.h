#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "forwarder/line_ring.h"
#include "forwarder/outcome.h"
#include "governance/filters/filter.h"

namespace skiff::forwarder {

// Which requests on the outbound port get a line, beside those that filters choose, and how lines
// look.
struct AccessLogConfig {
  enum class Mode : std::uint8_t { kOff, kSampled, kSlow, kErrors, kFull };
  enum class Format : std::uint8_t { kText, kJson };
  static constexpr std::uint32_t kAll = 1'000'000;

  Mode mode = Mode::kOff;
  std::uint32_t sampled = kAll / 100;         // of kAll, where mode is kSampled
  std::chrono::milliseconds slow_time{1000};  // and longer, where it is kSlow
  Format format = Format::kText;
};

// A worker's lines. Lives on its worker's thread; allocates nothing.
class AccessLog {
 public:
  // `ring` may be null: then lines go nowhere.
  AccessLog(const AccessLogConfig& config, LineRing* ring) : config_(config), ring_(ring) {}

  // Of a request that was read just now: whether its end is of interest. `random` is uniform over
  // 64 bits.
  bool follows(std::uint64_t random) const {
    using Mode = AccessLogConfig::Mode;
    if (config_.mode == Mode::kOff) return false;
    return config_.mode != Mode::kSampled || random % AccessLogConfig::kAll < config_.sampled;
  }
  bool is_on() const { return config_.mode != AccessLogConfig::Mode::kOff; }
  // Of a request that it follows, and that has ended: whether it gets a line.
  bool wants(Outcome outcome, std::chrono::nanoseconds total) const {
    switch (config_.mode) {
      case AccessLogConfig::Mode::kOff:
        return false;
      case AccessLogConfig::Mode::kSlow:
        return total >= config_.slow_time;
      case AccessLogConfig::Mode::kErrors:
        return outcome != Outcome::kOk && outcome != Outcome::kOneWay;
      case AccessLogConfig::Mode::kSampled:
      case AccessLogConfig::Mode::kFull:
        return true;
    }
    return false;
  }

  void write(const governance::FinishedRequest& request);

 private:
  const AccessLogConfig& config_;
  LineRing* ring_;
};

// Lines of at most so many bytes, with the end of the line; what does not fit is cut off.
inline constexpr std::size_t kAccessLineMax = 4096;
using AccessLineBuffer = std::array<char, kAccessLineMax>;

// The line of `request`, in `buffer`. `time` is when it ended.
std::string_view format_access_line(const governance::FinishedRequest& request,
                                    AccessLogConfig::Format format,
                                    std::chrono::system_clock::time_point time,
                                    AccessLineBuffer& buffer);

}  // namespace skiff::forwarder
