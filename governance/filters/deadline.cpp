// Tells the provider how much of the caller's time is left.
#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <string>

#include "governance/filters/filter_kinds.h"

namespace skiff::governance {
namespace {

using std::chrono::milliseconds;

// Dubbo's providers read how long a request may take from its attachment `timeout`, and pass on
// what of it is left when they call others themselves (ContextFilter, TimeoutCountDown).
class Deadline final : public Filter {
 public:
  Deadline() : Filter({FilterPoint::kSend}) {}

  FilterAnswer on_request(FilteredRequest& request) const override {
    const RequestFacts& facts = request.facts();
    const auto spent = std::chrono::duration_cast<milliseconds>(facts.now - facts.received);
    // What has no time left is not sent, except one-way requests, which nobody waits for.
    const milliseconds left = std::max(request.timeout() - spent, milliseconds(1));
    std::array<char, 24> text{};
    const auto written = std::to_chars(text.data(), text.data() + text.size(), left.count());
    request.set_attachment("timeout", {text.data(), written.ptr});
    return FilterAnswer::kContinue;
  }

  std::string describe() const override { return "passes on the time that is left"; }
};

}  // namespace

FilterPtr read_deadline(const YamlFields& fields, const std::vector<StaticCluster>& /*clusters*/) {
  fields.refuse_others_than(std::initializer_list<std::string_view>{});
  return std::make_shared<Deadline>();
}

}  // namespace skiff::governance
