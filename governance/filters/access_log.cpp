// Chooses requests that are over for the access log.
#include <chrono>
#include <optional>
#include <string>

#include "dubbo/durations.h"
#include "governance/filters/filter_kinds.h"
#include "governance/filters/filter_settings.h"

namespace skiff::governance {
namespace {

using namespace std::chrono_literals;

struct AccessLogSettings {
  Share share;
  std::optional<std::chrono::milliseconds> slower_than;
  bool only_failed = false;
};

bool has_failed(const FinishedRequest& request) {
  return request.is_by_agent ||
         (request.status != dubbo::Status::kOk && request.status != dubbo::Status::kNone);
}

class AccessLog final : public Filter {
 public:
  explicit AccessLog(AccessLogSettings settings)
      : Filter({FilterPoint::kLog}), settings_(settings) {}

  void on_log(const FinishedRequest& request, AccessLines& lines) const override {
    const auto total = request.facts.now - request.facts.received;
    if (settings_.only_failed && !has_failed(request)) return;
    if (settings_.slower_than && total < *settings_.slower_than) return;
    if (settings_.share.takes(request.random)) lines.write(request);
  }

  std::string describe() const override {
    std::string text = "logs " + settings_.share.to_string();
    if (settings_.only_failed) text += " of those that fail";
    if (settings_.slower_than) {
      text += ", if they take " + dubbo::format_duration(*settings_.slower_than) + " or more";
    }
    return text;
  }

 private:
  const AccessLogSettings settings_;
};

}  // namespace

FilterPtr read_access_log(const YamlFields& fields,
                          const std::vector<StaticCluster>& /*clusters*/) {
  fields.refuse_others_than({"percent", "slower_than", "only_failed"});
  return std::make_shared<AccessLog>(
      AccessLogSettings{.share = read_share(fields, "percent"),
                        .slower_than = read_filter_time(fields, "slower_than", 1ms),
                        .only_failed = fields.boolean("only_failed", false)});
}

}  // namespace skiff::governance
