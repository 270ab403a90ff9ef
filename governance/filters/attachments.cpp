// Adds attachments to requests and removes others. Rules see the request as it is then.
#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "governance/filters/filter_kinds.h"
#include "governance/static_routes/limits.h"

namespace skiff::governance {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

constexpr std::size_t kMaxNames = 8;  // of each kind
// They say what the request is and whom it is for, and were read before any filter is asked.
constexpr std::array<std::string_view, 6> kReserved = {"path",    "interface", "group",
                                                       "version", "timeout",   "token"};

class AttachmentFilter final : public Filter {
 public:
  AttachmentFilter(Pairs set, std::vector<std::string> removed)
      : Filter({FilterPoint::kBeforeRoute}), set_(std::move(set)), removed_(std::move(removed)) {}

  FilterAnswer on_request(FilteredRequest& request) const override {
    for (const std::string& name : removed_) request.remove_attachment(name);
    for (const auto& [name, value] : set_) request.set_attachment(name, value);
    return FilterAnswer::kContinue;
  }

  std::string describe() const override {
    std::string text;
    for (const auto& [name, value] : set_) text += (text.empty() ? "sets " : ", ") + name;
    const bool sets = !text.empty();
    for (const std::string& name : removed_) {
      text += (&name == removed_.data() ? (sets ? "; removes " : "removes ") : ", ") + name;
    }
    return text;
  }

 private:
  const Pairs set_;
  const std::vector<std::string> removed_;
};

void check_name(const YamlFields& fields, const std::string& name) {
  if (name.empty() || name.size() > kMaxRouteTextBytes) {
    fields.add_error("came a name of " + std::to_string(name.size()) + " bytes, expected 1 to " +
                     std::to_string(kMaxRouteTextBytes));
  } else if (std::ranges::find(kReserved, name) != kReserved.end()) {
    fields.add_error(name + " says what the request is, and stays as it is");
  }
}

void check_count(const YamlFields& fields, const char* key, std::size_t count) {
  if (count <= kMaxNames) return;
  fields.add_error(
      key, "came " + std::to_string(count) + " of them, the limit is " + std::to_string(kMaxNames));
}

Pairs read_set(const YamlFields& fields) {
  Pairs pairs;
  const auto set = fields.map("set");
  if (!set) return pairs;
  std::set<std::string> names;
  for (const std::string& name : set->keys()) {
    check_name(*set, name);
    if (!names.insert(name).second) set->add_error(name + " is given twice");
    std::string value = set->text(name.c_str());
    if (value.size() > kMaxRouteTextBytes) {
      set->add_error(name.c_str(), "came " + std::to_string(value.size()) +
                                       " bytes, the limit is " +
                                       std::to_string(kMaxRouteTextBytes));
    }
    pairs.emplace_back(name, std::move(value));
  }
  check_count(fields, "set", pairs.size());
  return pairs;
}

}  // namespace

FilterPtr read_attachments(const YamlFields& fields,
                           const std::vector<StaticCluster>& /*clusters*/) {
  fields.refuse_others_than({"set", "remove"});
  Pairs set = read_set(fields);
  std::vector<std::string> removed = fields.texts("remove");
  for (const std::string& name : removed) check_name(fields, name);
  check_count(fields, "remove", removed.size());
  if (set.empty() && removed.empty()) {
    fields.add_error("came none of set and remove, expected one or both");
  }
  return std::make_shared<AttachmentFilter>(std::move(set), std::move(removed));
}

}  // namespace skiff::governance
