// Tells the provider who calls: it sees the connection of an agent, not that of the caller.
#include <string>

#include "governance/filters/filter_kinds.h"

namespace skiff::governance {
namespace {

class Identity final : public Filter {
 public:
  Identity() : Filter({FilterPoint::kSend}) {}

  FilterAnswer on_request(FilteredRequest& request) const override {
    const RequestFacts& facts = request.facts();
    // Also what is empty: the last one of a name counts, and that must not be the caller's.
    if (!facts.caller_address.empty() || !facts.has_attachments_of_ours) {
      request.set_attachment("skiff.caller.address", facts.caller_address);
    }
    request.set_attachment("skiff.caller.application", facts.application);
    request.set_attachment("skiff.agent", request.agent());
    return FilterAnswer::kContinue;
  }

  std::string describe() const override {
    return "appends the caller's address and application, and the agent";
  }
};

}  // namespace

FilterPtr read_identity(const YamlFields& fields, const std::vector<StaticCluster>& /*clusters*/) {
  fields.refuse_others_than(std::initializer_list<std::string_view>{});
  return std::make_shared<Identity>();
}

}  // namespace skiff::governance
