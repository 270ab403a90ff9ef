// Input: the text of a mesh rule, which is compiled and applied to some requests.

#include <string>
#include <vector>

#include "governance/router_rules.h"
#include "property.h"
#include "tests/unit/governance/plain_walk.h"

namespace skiff::governance {
namespace {

class LastDraw final : public Draw {
 public:
  std::size_t choose(std::span<const std::uint32_t> weights) override {
    SKIFF_PROPERTY(weights.size() > 1);
    for (const std::uint32_t weight : weights) SKIFF_PROPERTY(weight > 0);
    return weights.size() - 1;
  }
};

class SomeArguments final : public ArgumentTexts {
 public:
  std::optional<std::string_view> text(std::size_t index) override {
    if (index == 0) return "10";
    if (index == 1) return "sayHello";
    if (index == 2) return "true";
    return std::nullopt;
  }
};

// On its own: none is left out for another one of its group.
void check_router(const std::shared_ptr<const Router>& router, const RequestView& request,
                  std::size_t size) {
  LastDraw draw;
  SKIFF_PROPERTY(router->group() != 0);
  SKIFF_PROPERTY(!router->name().empty());
  const Walk walk = walk_by_chain({router}, request, draw, size);
  SKIFF_PROPERTY(walk == walk_plainly({router}, request, draw, size));
  for (const WalkStep& step : walk) {
    SKIFF_PROPERTY(step.outcome != Router::Outcome::kRefused);
    SKIFF_PROPERTY(!step.left.empty());
    SKIFF_PROPERTY(step.outcome == Router::Outcome::kNarrowed ||
                   step.left == ProviderSet::all(size));
  }
}

void check_rule(const RouterRule& rule) {
  std::vector<dubbo::Url> providers;
  for (const char* parameters :
       {"env-sign=xxx&tag1=hello", "env-sign=yyy", "env-sign=zzz", "n=1"}) {
    const std::string text = std::string("dubbo://10.0.0.1:1/ccc?application=app1&") + parameters;
    providers.push_back(dubbo::Url::parse(text).value());
  }
  const dubbo::ConsumerIdentity consumer{
      .application = "shop", .host = "10.9.0.1", .parameters = {{"trafficLabel", "xxx"}}};
  Routers routers;
  rule.compile({.interface = "ccc",
                .group = {},
                .version = {},
                .providers = providers,
                .consumer = consumer},
               routers);
  dubbo::Attachments attachments;
  attachments.add("trafficLabel", "testing-trunk");
  SomeArguments arguments;
  for (const char* method : {"sayHello", "getAll", ""}) {
    const RequestView request{
        .method = method, .attachments = &attachments, .arguments = &arguments};
    for (const auto& router : routers) check_router(router, request, providers.size());
  }
}

int check(const std::uint8_t* data, std::size_t size) {
  const auto rule =
      parse_mesh_rule("app1.MESHAPPRULE", {reinterpret_cast<const char*>(data), size});
  if (!rule) {
    SKIFF_PROPERTY(!rule.error().message.empty());
    SKIFF_PROPERTY(rule.error().code == ErrorCode::kMalformed ||
                   rule.error().code == ErrorCode::kTooLarge);
  } else if (*rule != nullptr) {
    check_rule(**rule);
  }
  return 0;
}

}  // namespace
}  // namespace skiff::governance

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return skiff::governance::check(data, size);
}
