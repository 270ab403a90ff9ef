// Fault injection: a share of the requests is delayed, a share is answered with an error.
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "dubbo/durations.h"
#include "governance/filters/filter_kinds.h"
#include "governance/filters/filter_settings.h"
#include "governance/static_routes/route_fields.h"

namespace skiff::governance {
namespace {

using namespace std::chrono_literals;

struct Delay {
  std::chrono::milliseconds time;
  Share share;
};

struct Abort {
  dubbo::Status status = dubbo::Status::kServerError;
  std::string message;
  Share share;
};

// One draw decides both: with a delay and an abort of 10 % each, no request has both, and 20 % have
// one of them.
class Fault final : public Filter {
 public:
  Fault(const std::optional<Delay>& delay, std::optional<Abort> abort)
      : Filter({FilterPoint::kReceive}), delay_(delay), abort_(std::move(abort)) {}

  FilterAnswer on_request(FilteredRequest& request) const override {
    const std::uint64_t random = request.random();
    const Share aborted = abort_ ? abort_->share : Share{0};
    if (aborted.takes(random)) {
      request.refuse(abort_->status, abort_->message);
      return FilterAnswer::kStop;
    }
    const Share either{aborted.millionths + (delay_ ? delay_->share.millionths : 0)};
    const bool is_delayed = either.takes(random) && request.delay(delay_->time);
    return is_delayed ? FilterAnswer::kStop : FilterAnswer::kContinue;
  }

  std::string describe() const override {
    std::string text;
    if (delay_) {
      text = "delays " + delay_->share.to_string() + " by " + dubbo::format_duration(delay_->time);
    }
    if (!abort_) return text;
    return text + (text.empty() ? "" : ", ") + "answers " + abort_->share.to_string() +
           " with status " + std::to_string(static_cast<int>(abort_->status));
  }

 private:
  const std::optional<Delay> delay_;
  const std::optional<Abort> abort_;
};

std::optional<Delay> read_delay(const YamlFields& fault) {
  const auto fields = fault.map("delay");
  if (!fields) return std::nullopt;
  fields->refuse_others_than({"time", "percent"});
  if (!fields->has("time")) fields->add_error("time is missing");
  return Delay{.time = read_filter_time(*fields, "time", 1ms).value_or(1ms),
               .share = read_share(*fields, "percent")};
}

std::optional<Abort> read_abort(const YamlFields& fault) {
  constexpr auto kDefault = static_cast<std::int64_t>(dubbo::Status::kServerError);
  const auto fields = fault.map("abort");
  if (!fields) return std::nullopt;
  fields->refuse_others_than({"status", "message", "percent"});
  Abort abort{.status = static_cast<dubbo::Status>(fields->integer("status", kDefault, 30, 100)),
              .message = read_route_text(*fields, "message"),
              .share = read_share(*fields, "percent")};
  if (abort.message.empty()) abort.message = "a fault is injected here";
  return abort;
}

}  // namespace

FilterPtr read_fault(const YamlFields& fields, const std::vector<StaticCluster>& /*clusters*/) {
  fields.refuse_others_than({"delay", "abort"});
  const auto delay = read_delay(fields);
  auto abort = read_abort(fields);
  if (!delay && !abort) fields.add_error("came none of delay and abort, expected one or both");
  const std::uint32_t sum =
      (delay ? delay->share.millionths : 0) + (abort ? abort->share.millionths : 0);
  if (sum > Share::kAll) {
    fields.add_error("the percentages of delay and abort sum to " + Share{sum}.to_string() +
                     ": a request has one of them, so that they may sum to 100 %");
  }
  return std::make_shared<Fault>(delay, std::move(abort));
}

}  // namespace skiff::governance
