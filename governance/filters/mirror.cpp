// Shadow traffic: a share of the requests is sent a second time, to providers whose answers nobody
// gets.
#include <algorithm>
#include <string>
#include <utility>

#include "governance/filters/filter_kinds.h"
#include "governance/filters/filter_settings.h"
#include "governance/static_routes/route_fields.h"
#include "governance/static_routes/static_cluster_parser.h"

namespace skiff::governance {
namespace {

class Mirror final : public Filter {
 public:
  Mirror(StaticCluster target, Share share)
      : Filter({FilterPoint::kAfterRoute}), target_(std::move(target)), share_(share) {}

  FilterAnswer on_request(FilteredRequest& request) const override {
    if (share_.takes(request.random())) request.mirror();
    return FilterAnswer::kContinue;
  }

  const StaticCluster* mirror_target() const override { return &target_; }

  std::string describe() const override {
    std::string labels;
    for (const auto& [name, value] : target_.subset) {
      labels.append(labels.empty() ? "" : ", ").append(name).append("=").append(value);
    }
    const std::string where =
        target_.name.empty() ? "the providers with " + labels : "cluster " + target_.name;
    return "sends copies of " + share_.to_string() + " to " + where;
  }

 private:
  const StaticCluster target_;
  const Share share_;
};

}  // namespace

FilterPtr read_mirror(const YamlFields& fields, const std::vector<StaticCluster>& clusters) {
  fields.refuse_others_than({"cluster", "subset", "percent"});
  StaticCluster target;
  if (fields.has("cluster") == fields.has("subset")) {
    fields.add_error(std::string("came ") + (fields.has("cluster") ? "both" : "none") +
                     " of cluster and subset, expected one");
  } else if (fields.has("subset")) {
    target.subset = read_subset(fields);
  } else {
    const std::string name = need_route_name(fields, "cluster");
    const auto found = std::ranges::find(clusters, name, &StaticCluster::name);
    if (found != clusters.end()) {
      target = *found;
    } else if (!name.empty()) {
      fields.add_error("cluster", "no cluster " + name +
                                      " is defined in `clusters` of its virtual host; a filter of "
                                      "all services has `subset`");
    }
  }
  return std::make_shared<Mirror>(std::move(target), read_share(fields, "percent"));
}

}  // namespace skiff::governance
