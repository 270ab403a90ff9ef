// Limits how many requests are under way at the same time. What is over the limit is refused at
// once.
#include <cstdint>
#include <string>

#include "governance/filters/filter_kinds.h"
#include "governance/filters/filter_settings.h"
#include "governance/filters/keyed_cells.h"
#include "governance/filters/limit_keys.h"

namespace skiff::governance {
namespace {

constexpr std::int64_t kMaxUnderWay = 1'000'000;

class ConcurrencyLimit final : public Filter {
 public:
  ConcurrencyLimit(std::int64_t limit, LimitKeys keys)
      : Filter({FilterPoint::kReceive, FilterPoint::kLog}),
        limit_(limit),
        keys_(keys),
        cells_(cells_for(keys)) {}

  FilterAnswer on_request(FilteredRequest& request) const override {
    KeyedCells::Cell& cell = cells_.find(keys_.of(request.facts()),
                                         [](std::int64_t under_way) { return under_way == 0; });
    if (cell.value.fetch_add(1, std::memory_order_relaxed) < limit_) {
      request.note() = cells_.index_of(cell) + 1;
      return FilterAnswer::kContinue;
    }
    cell.value.fetch_sub(1, std::memory_order_relaxed);
    request.refuse(dubbo::Status::kServerThreadpoolExhausted,
                   "over the limit of " + std::to_string(limit_) + " requests at a time for " +
                       keys_.to_string(request.facts()));
    return FilterAnswer::kStop;
  }

  void on_log(const FinishedRequest& request, AccessLines& /*lines*/) const override {
    if (request.note != 0) {
      cells_.at(request.note - 1).value.fetch_sub(1, std::memory_order_relaxed);
    }
  }

  std::size_t kept_bytes() const override { return cells_.bytes(); }

  std::string describe() const override {
    return "limits " + keys_.to_string() + " to " + std::to_string(limit_) + " requests at a time";
  }

 private:
  const std::int64_t limit_;
  const LimitKeys keys_;
  mutable KeyedCells cells_;  // requests under way
};

}  // namespace

FilterPtr read_concurrency_limit(const YamlFields& fields,
                                 const std::vector<StaticCluster>& /*clusters*/) {
  fields.refuse_others_than({"requests", "by"});
  return std::make_shared<ConcurrencyLimit>(need_count(fields, "requests", 1, kMaxUnderWay),
                                            read_limit_keys(fields));
}

}  // namespace skiff::governance
