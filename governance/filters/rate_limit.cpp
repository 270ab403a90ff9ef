// Limits how many requests come in a time. What is over the limit is refused at once.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>

#include "dubbo/durations.h"
#include "governance/filters/filter_kinds.h"
#include "governance/filters/filter_settings.h"
#include "governance/filters/keyed_cells.h"
#include "governance/filters/limit_keys.h"

namespace skiff::governance {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kMaxRequests = 1'000'000;  // an hour times this many fits the depth

// A leaky bucket, kept as the time at which it is empty (the virtual scheduling of ITU-T I.371): a
// request adds `interval_` to it, and is refused where the bucket would not be empty within
// `depth_`.
class RateLimit final : public Filter {
 public:
  RateLimit(std::int64_t requests, std::chrono::milliseconds per, std::int64_t burst,
            LimitKeys keys)
      : Filter({FilterPoint::kReceive}),
        requests_(requests),
        per_(per),
        keys_(keys),
        interval_(std::max<std::int64_t>(std::chrono::nanoseconds(per).count() / requests, 1)),
        depth_(interval_ * burst),
        cells_(cells_for(keys)) {}

  FilterAnswer on_request(FilteredRequest& request) const override {
    const std::int64_t now = request.facts().now.time_since_epoch() / 1ns;
    std::atomic<std::int64_t>& empty_at =
        cells_.find(keys_.of(request.facts()), [now](std::int64_t at) { return at <= now; }).value;
    std::int64_t seen = empty_at.load(std::memory_order_relaxed);
    std::int64_t next = 0;
    do {
      next = std::max(seen, now) + interval_;
      if (next - now > depth_) {
        request.refuse(
            dubbo::Status::kServerThreadpoolExhausted,
            "over the limit of " + limit() + ", for " + keys_.to_string(request.facts()));
        return FilterAnswer::kStop;
      }
    } while (!empty_at.compare_exchange_weak(seen, next, std::memory_order_relaxed));
    return FilterAnswer::kContinue;
  }

  std::size_t kept_bytes() const override { return cells_.bytes(); }

  std::string describe() const override { return "limits " + keys_.to_string() + " to " + limit(); }

 private:
  std::string limit() const {
    return std::to_string(requests_) + " requests in " + dubbo::format_duration(per_) +
           ", bursts of " + std::to_string(depth_ / interval_);
  }

  const std::int64_t requests_;
  const std::chrono::milliseconds per_;
  const LimitKeys keys_;
  const std::int64_t interval_;  // nanoseconds
  const std::int64_t depth_;
  mutable KeyedCells cells_;  // when each bucket is empty
};

}  // namespace

FilterPtr read_rate_limit(const YamlFields& fields,
                          const std::vector<StaticCluster>& /*clusters*/) {
  fields.refuse_others_than({"requests", "per", "burst", "by"});
  const std::int64_t requests = need_count(fields, "requests", 1, kMaxRequests);
  return std::make_shared<RateLimit>(requests, read_filter_time(fields, "per", 1ms).value_or(1s),
                                     fields.integer("burst", requests, 1, kMaxRequests),
                                     read_limit_keys(fields));
}

}  // namespace skiff::governance
