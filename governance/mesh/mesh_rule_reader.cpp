#include <memory>
#include <string>
#include <utility>

#include "governance/mesh/mesh_rule.h"
#include "governance/router_rules.h"
#include "governance/yaml_fields.h"

// Documents "<application>.MESHAPPRULE", as Dubbo's MeshAppRuleListener and MeshRuleRouter read
// them. Left aside, as Dubbo does: `host` and `port` of destinations, `hosts`, `trafficPolicy`, and
// documents of other kinds, or of routers whose name is not "standard".
namespace skiff::governance {
namespace {

constexpr std::string_view kSuffix = ".MESHAPPRULE";
constexpr std::string_view kStandardRouter = "standard";

// Which router of Dubbo's a document is for, as its name says: "name.router".
std::string_view router_of(std::string_view name) {
  const std::size_t dot = name.find('.');
  return dot == std::string_view::npos ? kStandardRouter : name.substr(dot + 1);
}

class MeshRuleReader {
 public:
  explicit MeshRuleReader(const std::string& key) : key_(key), rule_(std::make_shared<MeshRule>()) {
    rule_->application = key.ends_with(kSuffix) ? key.substr(0, key.size() - kSuffix.size()) : key;
  }

  void read(const YamlFields& document) {
    const auto metadata = document.map("metadata");
    const std::string name = metadata ? metadata->text("name") : std::string();
    if (name.empty()) document.add_error("metadata.name: expected the name of the rule");
    const std::string kind = document.text("kind");
    const bool is_virtual_service = kind == "VirtualService";
    const bool is_destination_rule = kind == "DestinationRule";
    if (router_of(name) != kStandardRouter) return;
    if (!is_virtual_service && !is_destination_rule) return;
    const auto spec = document.map("spec");
    if (!spec) {
      document.add_error("spec: expected a map");
    } else if (is_virtual_service) {
      has_virtual_service_ = true;
      for (const YamlFields& route : spec->maps("dubbo")) read_route(route, name);
    } else {
      has_destination_rule_ = true;
      for (const YamlFields& subset : spec->maps("subsets")) read_subset(subset);
    }
  }

  // Null where there is only half of a rule.
  RouterRulePtr take() {
    if (!has_virtual_service_ || !has_destination_rule_) return nullptr;
    return std::move(rule_);
  }

 private:
  void read_subset(const YamlFields& fields) {
    if (rule_->subsets.size() == kMaxMeshSubsets) {
      fields.add_error("over " + std::to_string(kMaxMeshSubsets) + " subsets");
    }
    if (rule_->subsets.size() >= kMaxMeshSubsets) return;
    MeshSubset& subset = rule_->subsets.emplace_back();
    subset.name = fields.text("name");
    if (subset.name.empty()) fields.add_error("name: expected the name of the subset");
    const auto labels = fields.map("labels");
    if (!labels) return;
    for (const std::string& key : labels->keys()) {
      subset.labels.emplace(key, labels->text(key.c_str()));
    }
  }

  void read_route(const YamlFields& fields, const std::string& rule_name) {
    MeshRoute& route = rule_->routes.emplace_back();
    for (const YamlFields& service : fields.maps("services")) {
      route.services.push_back(TextMatch::read(service));
    }
    for (const YamlFields& item : fields.maps("routedetail")) {
      if (++details_ > kMaxMeshRouteDetails) {
        item.add_error("over " + std::to_string(kMaxMeshRouteDetails) + " of them");
        return;
      }
      auto detail = std::make_shared<MeshRouteDetail>(read_detail(item));
      std::string name = "mesh rule " + key_;
      name.append(", ").append(rule_name).append(", ");
      name.append(item.text("name", "routedetail[" + std::to_string(route.details.size()) + "]"));
      detail->name = std::move(name);
      route.details.push_back(std::move(detail));
    }
  }

  static MeshRouteDetail read_detail(const YamlFields& fields) {
    MeshRouteDetail detail;
    for (const YamlFields& match : fields.maps("match")) {
      detail.matches.push_back(MeshMatch::read(match));
    }
    const auto destinations = fields.maps("route");
    if (destinations.size() > kMaxMeshDestinations) {
      fields.add_error("route", std::to_string(destinations.size()) +
                                    " destinations, the limit is " +
                                    std::to_string(kMaxMeshDestinations));
      return detail;
    }
    for (const YamlFields& one : destinations) detail.destinations.push_back(read_destination(one));
    return detail;
  }

  static MeshDestination read_destination(const YamlFields& fields) {
    MeshDestination destination;
    // As in Dubbo, one that says 0 gets as much as one that says 1.
    const std::int64_t weight = fields.integer("weight", 1, 0, kMaxMeshWeight);
    destination.weight = weight == 0 ? 1 : static_cast<std::uint32_t>(weight);
    if (!fields.has("destination")) fields.add_error("destination: expected a map");
    read_subsets(fields, destination);
    return destination;
  }

  // The subset, and those of its fallbacks. A fallback is `fallback: {destination: {subset}}`;
  // without the `destination` between them Dubbo takes it for none.
  static void read_subsets(const YamlFields& fields, MeshDestination& into) {
    const auto destination = fields.map("destination");
    if (!destination) return;
    if (into.subsets.size() > kMaxMeshFallbacks) {
      fields.add_error("destination", "over " + std::to_string(kMaxMeshFallbacks) + " fallbacks");
      return;
    }
    // Without a name it is none that a provider is in.
    into.subsets.push_back(destination->text("subset"));
    if (const auto fallback = destination->map("fallback")) read_subsets(*fallback, into);
  }

  const std::string& key_;
  std::shared_ptr<MeshRule> rule_;
  std::size_t details_ = 0;
  bool has_virtual_service_ = false;
  bool has_destination_rule_ = false;
};

}  // namespace

Result<RouterRulePtr> parse_mesh_rule(const std::string& key, std::string_view yaml) {
  MeshRuleReader reader(key);
  const auto read =
      read_yaml_maps(yaml, [&reader](const YamlFields& document) { reader.read(document); });
  if (!read) return tl::unexpected(read.error());
  return reader.take();
}

}  // namespace skiff::governance
