#include "governance/static_routes/static_routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "governance/static_routes/limits.h"

namespace skiff::governance {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

VirtualHostPtr host(const std::string& name, std::vector<std::string> domains) {
  VirtualHost made{.name = name};
  made.domains = std::move(domains);
  return std::make_shared<const VirtualHost>(std::move(made));
}

std::string found(const StaticRoutes& routes, std::string_view interface) {
  const VirtualHostPtr one = routes.find(interface);
  return one ? one->name : "none";
}

TEST(StaticRoutes, TheInterfaceItselfBeatsTheLongestPrefixBeatsTheStar) {
  const auto routes = StaticRoutes::of({host("star", {"*"}), host("short", {"a.*"}),
                                        host("long", {"a.b.*"}), host("exact", {"a.b.C", "x.Y"})});
  ASSERT_TRUE(routes);
  EXPECT_EQ(found(*routes, "a.b.C"), "exact");
  EXPECT_EQ(found(*routes, "x.Y"), "exact");
  EXPECT_EQ(found(*routes, "a.b.D"), "long");
  EXPECT_EQ(found(*routes, "a.b."), "long");
  EXPECT_EQ(found(*routes, "a.b"), "short");
  EXPECT_EQ(found(*routes, "a"), "star");
  EXPECT_EQ(found(*routes, "x.Z"), "star");
  EXPECT_EQ(found(*routes, ""), "star");
}

TEST(StaticRoutes, LeaveAnInterfaceAloneThatNoDomainNames) {
  EXPECT_EQ(found(StaticRoutes(), "a.B"), "none");
  const auto routes = StaticRoutes::of({host("a", {"a.B", "c.*"})});
  EXPECT_EQ(found(*routes, "a.C"), "none");
  EXPECT_EQ(found(*routes, "a.BC"), "none");
}

TEST(StaticRoutes, NameBothThatHaveTheSameDomain) {
  const auto routes =
      StaticRoutes::of({host("one", {"a.B", "c.*"}), host("two", {"c.*", "a.B"}), host("one", {})});
  ASSERT_FALSE(routes);
  EXPECT_EQ(routes.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(routes.error().message,
              AllOf(HasSubstr("routes one and two are both for the domain c.*"),
                    HasSubstr("routes one and two are both for the domain a.B"),
                    HasSubstr("there are two routes one")));
}

TEST(StaticRoutes, HaveALimit) {
  std::vector<VirtualHostPtr> hosts;
  for (std::size_t i = 0; i <= kMaxVirtualHosts; ++i) hosts.push_back(host(std::to_string(i), {}));
  EXPECT_EQ(StaticRoutes::of(hosts).error().code, ErrorCode::kTooLarge);
  hosts.pop_back();
  EXPECT_TRUE(StaticRoutes::of(hosts));
}

class CountingFilter final : public Filter {
 public:
  explicit CountingFilter(std::size_t bytes) : Filter({}), bytes_(bytes) {}
  std::size_t kept_bytes() const override { return bytes_; }
  std::string describe() const override { return "counts"; }

 private:
  std::size_t bytes_;
};

TEST(StaticRoutes, HaveALimitOfWhatTheirFiltersCountIn) {
  const auto counting_in = [](std::size_t bytes) {
    FilterEntry entry;
    entry.filter = std::make_shared<CountingFilter>(bytes);
    return std::make_shared<const FilterEntry>(std::move(entry));
  };
  VirtualHost one{.name = "one"};
  one.filters = {counting_in(kMaxFilterBytes / 2)};
  const std::vector<VirtualHostPtr> hosts = {std::make_shared<const VirtualHost>(std::move(one))};
  EXPECT_TRUE(StaticRoutes::of(hosts, {counting_in(kMaxFilterBytes / 2)}));
  const auto too_much = StaticRoutes::of(hosts, {counting_in(kMaxFilterBytes / 2 + 1)});
  ASSERT_FALSE(too_much);
  EXPECT_EQ(too_much.error().code, ErrorCode::kTooLarge);
}

}  // namespace
}  // namespace skiff::governance
