#include "forwarder/outbound/cluster_routing.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "forwarder/limits.h"
#include "forwarder/outbound/endpoint.h"
#include "forwarder/outbound/path_explorer.h"
#include "forwarder/random_source.h"

namespace skiff::forwarder {
namespace {

using governance::Draw;
using governance::ProviderSet;
using governance::RequestView;
using governance::Router;

// Leaves the providers of `leaves` to requests whose attachment "to" is `to`; to all where that is
// empty.
class RouterTo final : public Router {
 public:
  RouterTo(std::string to, ProviderSet leaves, std::uint32_t group = 0)
      : name_("to " + to), to_(std::move(to)), leaves_(std::move(leaves)), group_(group) {}

  const std::string& name() const override { return name_; }
  bool concerns(std::string_view method) const override { return method != "unruled"; }
  bool reads_more_than_method() const override { return !to_.empty(); }
  std::uint32_t group() const override { return group_; }
  Result apply(const RequestView& request, Draw& /*draw*/, ProviderSet& providers) const override {
    ++asked;
    if (!to_.empty() && request.attachment("to") != to_) return {};
    if (!leaves_.intersects(providers)) return {.outcome = Outcome::kRefused, .detail = "nobody"};
    providers &= leaves_;
    return {.outcome = Outcome::kNarrowed};
  }

  mutable int asked = 0;

 private:
  const std::string name_;
  const std::string to_;
  const ProviderSet leaves_;
  const std::uint32_t group_;
};

class ClusterRoutingTest : public testing::Test {
 protected:
  static constexpr std::size_t kProviders = 4;

  ClusterRoutingTest() {
    cluster_.providers.resize(kProviders);
    for (std::size_t i = 0; i < kProviders; ++i) {
      endpoints_.push_back(std::make_unique<Endpoint>("10.0.0." + std::to_string(i) + ":1",
                                                      SocketAddress::parse("10.0.0.1", 1)));
      endpoint_pointers_.push_back(endpoints_.back().get());
    }
  }

  static ProviderSet only(std::initializer_list<std::size_t> members) {
    ProviderSet set = ProviderSet::none(kProviders);
    for (const std::size_t i : members) set.add(i);
    return set;
  }

  const RouterTo& add_router(const std::string& to, ProviderSet leaves, std::uint32_t group = 0) {
    auto router = std::make_shared<const RouterTo>(to, std::move(leaves), group);
    cluster_.routers.push_back(router);
    return *router;
  }

  RouteChoice choose(std::string_view method, std::string_view to = {}) {
    attachments_.clear();
    if (!to.empty()) attachments_.add("to", to);
    if (!routing_) routing_ = std::make_unique<ClusterRouting>(cluster_, endpoint_pointers_);
    PathExplorer draw;
    return routing_->choose({.method = method, .attachments = &attachments_}, draw);
  }

  governance::Cluster cluster_;
  std::vector<std::unique_ptr<Endpoint>> endpoints_;
  std::vector<Endpoint*> endpoint_pointers_;
  dubbo::Attachments attachments_;
  std::unique_ptr<ClusterRouting> routing_;
};

TEST_F(ClusterRoutingTest, LeavesEverybodyWithoutRules) {
  const RouteChoice choice = choose("hi");
  ASSERT_FALSE(choice.is_refused());
  EXPECT_EQ(choice.providers->count(), kProviders);
  EXPECT_EQ(choose("hi").balancer, choice.balancer) << "a balancer keeps its state";
}

TEST_F(ClusterRoutingTest, AsksARouterThatLooksAtTheMethodOnlyOnceForEachMethod) {
  const RouterTo& router = add_router("", only({1, 2}));
  EXPECT_EQ(*choose("hi").providers, only({1, 2}));
  EXPECT_EQ(*choose("hi").providers, only({1, 2}));
  EXPECT_EQ(router.asked, 1);
  EXPECT_EQ(*choose("bye").providers, only({1, 2}));
  EXPECT_EQ(router.asked, 2);
  EXPECT_EQ(choose("unruled").providers->count(), kProviders);
  EXPECT_EQ(router.asked, 2);
}

TEST_F(ClusterRoutingTest, KeepsNothingForMethodsWithLongNames) {
  const RouterTo& router = add_router("", only({1, 2}));
  const std::string name(limits::kMethodNameMaxBytes + 1, 'x');
  for (int asked = 1; asked <= 3; ++asked) {
    EXPECT_EQ(*choose(name).providers, only({1, 2}));
    EXPECT_EQ(router.asked, asked);
  }
}

TEST_F(ClusterRoutingTest, RemembersWhatItDecidedForTheSameAttachments) {
  const RouterTo& router = add_router("a", only({0}));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(*choose("hi", "a").providers, only({0}));
    EXPECT_EQ(choose("hi", "b").providers->count(), kProviders);
    EXPECT_EQ(choose("hi").providers->count(), kProviders);
  }
  EXPECT_EQ(router.asked, 3);
  EXPECT_EQ(*choose("bye", "a").providers, only({0}));
  EXPECT_EQ(router.asked, 4) << "another method is another request";
}

TEST_F(ClusterRoutingTest, DecidesAsOneThatRemembersNothing) {
  add_router("a", only({0, 1}), 1);
  add_router("b", only({1, 2}), 1);
  add_router("c", only({3}));
  RandomSource random(7);
  const std::vector<std::string> values = {"", "a", "b", "c", "d", std::string(200, 'a')};
  for (int i = 0; i < 500; ++i) {
    const std::string& to = values[below(values.size(), random())];
    const RouteChoice choice = choose("hi", to);
    ClusterRouting fresh(cluster_, endpoint_pointers_);
    PathExplorer draw;
    const RouteChoice expected = fresh.choose({.method = "hi", .attachments = &attachments_}, draw);
    ASSERT_EQ(choice.is_refused(), expected.is_refused()) << to;
    ASSERT_EQ(*choice.providers, *expected.providers) << to;
    ASSERT_EQ(choice.narrowed_by, expected.narrowed_by) << to;
  }
}

// What a router says of a draw, or of an argument, is for that request alone.
TEST_F(ClusterRoutingTest, DoesNotRememberWhatWasDrawnOrReadElsewhere) {
  class Drawing final : public Router {
   public:
    const std::string& name() const override { return name_; }
    bool concerns(std::string_view /*method*/) const override { return true; }
    bool reads_more_than_method() const override { return true; }
    Result apply(const RequestView& request, Draw& draw, ProviderSet& providers) const override {
      ++asked;
      if (request.attachment("to") == "argument") {
        EXPECT_FALSE(request.argument(0));
      } else {
        providers &= only({draw.choose(weights_)});
      }
      return {.outcome = Outcome::kNarrowed};
    }
    mutable int asked = 0;

   private:
    const std::string name_ = "drawing";
    const std::vector<std::uint32_t> weights_ = {1, 1};
  };
  const auto router = std::make_shared<const Drawing>();
  cluster_.routers.push_back(router);
  for (const char* to : {"draw", "draw", "argument", "argument"}) choose("hi", to);
  EXPECT_EQ(router->asked, 4);
}

TEST_F(ClusterRoutingTest, LooksAtEachRequestWhereARouterDoes) {
  add_router("a", only({0}));
  add_router("b", only({1, 2}));
  EXPECT_EQ(*choose("hi", "a").providers, only({0}));
  EXPECT_EQ(*choose("hi", "b").providers, only({1, 2}));
  EXPECT_EQ(choose("hi").providers->count(), kProviders);
  EXPECT_EQ(choose("hi", "b").balancer, choose("bye", "b").balancer)
      << "the same providers have one balancer";
}

TEST_F(ClusterRoutingTest, IsRefusedByTheRouterThatLeavesNobody) {
  add_router("a", only({0}));
  const RouterTo& refusing = add_router("a", only({1}));
  const RouteChoice choice = choose("hi", "a");
  ASSERT_TRUE(choice.is_refused());
  EXPECT_EQ(choice.refused_by, &refusing);
  EXPECT_EQ(choice.refusal, "nobody");
  EXPECT_FALSE(choose("hi", "b").is_refused());
}

TEST_F(ClusterRoutingTest, AppliesTheFirstOfAGroupThatMatches) {
  add_router("a", only({0}), 7);
  add_router("", only({1}), 7);
  add_router("", only({0, 1, 2}), 8);
  EXPECT_EQ(*choose("hi", "a").providers, only({0}));
  EXPECT_EQ(*choose("hi", "b").providers, only({1}));
}

TEST_F(ClusterRoutingTest, StaysWithinItsLimits) {
  add_router("a", only({0}));
  for (std::size_t i = 0; i < 3 * limits::kRoutePlansMax; ++i) {
    const RouteChoice choice = choose("method" + std::to_string(i), "a");
    ASSERT_EQ(*choice.providers, only({0}));
  }
}

TEST(PathExplorer, TakesEveryTurnOnceWithItsProbability) {
  PathExplorer explorer;
  std::vector<std::pair<std::string, double>> paths;
  do {
    std::string path;
    path += std::to_string(explorer.choose(std::vector<std::uint32_t>{20, 0, 80}));
    if (path == "2") path += std::to_string(explorer.choose(std::vector<std::uint32_t>{1, 3}));
    paths.emplace_back(path, explorer.probability());
  } while (explorer.next());
  ASSERT_EQ(paths.size(), 3U);
  EXPECT_EQ(paths[0].first, "0");
  EXPECT_DOUBLE_EQ(paths[0].second, 0.2);
  EXPECT_EQ(paths[1].first, "20");
  EXPECT_DOUBLE_EQ(paths[1].second, 0.2);
  EXPECT_EQ(paths[2].first, "21");
  EXPECT_DOUBLE_EQ(paths[2].second, 0.6);
}

}  // namespace
}  // namespace skiff::forwarder
