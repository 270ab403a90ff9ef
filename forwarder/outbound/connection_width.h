#pragma once

#include <algorithm>
#include <cstddef>

#include "forwarder/limits.h"
#include "forwarder/timer_wheel.h"

namespace skiff::forwarder {

// How many connections to a provider are worth their while. One is best as long as little is in
// flight: many requests then leave in one system call. Where megabytes are, the two ends of one
// connection wait for each other. It grows at once, and shrinks to what was needed in the last
// while. One per endpoint, on its worker's thread.
class ConnectionWidth {
 public:
  std::size_t now() const { return width_; }

  // With so many bytes in flight. Returns true where the width became smaller.
  bool update(std::size_t bytes_in_flight, TimePoint time) {
    const std::size_t wanted = std::min(1 + bytes_in_flight / limits::kBytesPerUpstreamConnection,
                                        limits::kUpstreamConnectionsMax);
    needed_ = std::max(needed_, wanted);
    if (wanted > width_ && time >= grows_at_) width_ = wanted;
    if (time < period_end_) return false;
    period_end_ = time + limits::kUpstreamWidthPeriod;
    const bool shrinks = needed_ < width_;
    if (shrinks) width_ = needed_;
    needed_ = wanted;
    return shrinks;
  }

  // A further connection could not be made.
  void stop_growing(std::size_t connections, TimePoint time) {
    width_ = std::max<std::size_t>(connections, 1);
    grows_at_ = time + limits::kUpstreamWidthPeriod;
  }

 private:
  std::size_t width_ = 1;
  std::size_t needed_ = 1;  // at most, in this period
  TimePoint period_end_{};
  TimePoint grows_at_{};
};

}  // namespace skiff::forwarder
