#include "forwarder/outbound/balancing/consistent_hash.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>

#include "balancing/balancer_stage.h"
#include "forwarder/limits.h"

namespace skiff::forwarder {
namespace {

using governance::BalancePolicy;
using governance::LoadBalance;
using testing::BalancerStage;
using testing::follow;
using testing::kAnyone;

constexpr int kKeys = 4000;

// A request with these arguments, and perhaps an attachment "user".
class KeyedRequest : private governance::ArgumentTexts {
 public:
  explicit KeyedRequest(std::vector<std::string> arguments) : arguments_(std::move(arguments)) {}

  void attach_user(std::string_view user) { attachments_.add("user", user); }
  governance::RequestView view() {
    return {.method = "find", .attachments = &attachments_, .arguments = this};
  }

 private:
  std::optional<std::string_view> text(std::size_t index) override {
    if (index >= arguments_.size()) return std::nullopt;
    return arguments_[index];
  }

  std::vector<std::string> arguments_;
  dubbo::Attachments attachments_;
};

class ConsistentHashTest : public ::testing::Test {
 protected:
  std::unique_ptr<Balancer> make(const std::vector<std::uint32_t>& members) {
    return make_balancer(policy_, stage_.providers, stage_.endpoints, members);
  }
  std::size_t owner(Balancer& balancer, KeyedRequest request, Usable usable = kAnyone) {
    const governance::RequestView view = request.view();
    return balancer.pick({.now = stage_.now, .random = stage_.random, .request = &view}, usable)
        .value();
  }
  std::vector<std::size_t> owners(Balancer& balancer, Usable usable = kAnyone) {
    std::vector<std::size_t> found;
    found.reserve(kKeys);
    for (int key = 0; key < kKeys; ++key) {
      found.push_back(owner(balancer, KeyedRequest({std::to_string(key)}), usable));
    }
    return found;
  }

  // A key moves only where the one that had it has gone.
  static void expect_only_keys_of(std::size_t gone, const std::vector<std::size_t>& before,
                                  const std::vector<std::size_t>& after) {
    for (std::size_t key = 0; key < before.size(); ++key) {
      if (before[key] == gone) {
        EXPECT_NE(after[key], gone) << "key " << key;
      } else {
        EXPECT_EQ(after[key], before[key]) << "key " << key;
      }
    }
  }

  BalancerStage stage_{std::vector<std::uint32_t>(5, 100)};
  BalancePolicy policy_{.kind = LoadBalance::kConsistentHash};
};

// Worked out with another implementation of the algorithm in Dubbo's ConsistentHashLoadBalance.
TEST_F(ConsistentHashTest, ChoosesWhomDubboChooses) {
  const auto balancer = make(stage_.all());
  const std::map<std::string, std::size_t> expected = {
      {"", 3}, {"42", 1}, {"order-4711", 1}, {"true", 3}, {"Привет", 1}};
  for (const auto& [key, provider] : expected) {
    EXPECT_EQ(owner(*balancer, KeyedRequest({key})), provider) << key;
  }
}

TEST_F(ConsistentHashTest, HashesTheArgumentsThatThePolicyNamesOneAfterTheOther) {
  policy_.hash_arguments = {1, 2};
  const auto balancer = make(stage_.all());
  EXPECT_EQ(owner(*balancer, KeyedRequest({"x", "or", "der-4711"})), 1U);
  EXPECT_EQ(owner(*balancer, KeyedRequest({"y", "order-4711"})), 1U) << "the third is missing";
}

TEST_F(ConsistentHashTest, HashesAnAttachmentWhereThePolicyNamesOne) {
  policy_.hash_attachment = "user";
  const auto balancer = make(stage_.all());
  KeyedRequest request({"something else"});
  request.attach_user("order-4711");
  EXPECT_EQ(owner(*balancer, std::move(request)), 1U);
}

TEST_F(ConsistentHashTest, ChoosesByWeightWhereThereIsNoKey) {
  stage_.providers[0].weight = 300;
  const auto balancer = make(stage_.all());
  std::vector<int> counts(stage_.size(), 0);
  for (int i = 0; i < 30'000; ++i) ++counts.at(owner(*balancer, KeyedRequest({})));
  EXPECT_TRUE(follow(counts, {3 / 7.0, 1 / 7.0, 1 / 7.0, 1 / 7.0, 1 / 7.0}));
  EXPECT_TRUE(stage_.pick(*balancer)) << "without a request";
}

TEST_F(ConsistentHashTest, MovesOnlyTheKeysOfAMemberThatLeft) {
  const auto before = owners(*make({0, 1, 2, 3, 4}));
  expect_only_keys_of(2, before, owners(*make({0, 1, 3, 4})));
}

TEST_F(ConsistentHashTest, MovesOnlyTheKeysOfAMemberThatIsNotUsable) {
  const auto balancer = make(stage_.all());
  const auto before = owners(*balancer);
  const auto without_two = [](std::size_t i) { return i != 2; };
  const auto meanwhile = owners(*balancer, without_two);
  expect_only_keys_of(2, before, meanwhile);
  EXPECT_EQ(meanwhile, owners(*make({0, 1, 3, 4}))) << "as if it had left";
  EXPECT_EQ(owners(*balancer), before);
}

TEST_F(ConsistentHashTest, MovesOnlyTheKeysOfAMemberOfWeightZero) {
  const auto before = owners(*make(stage_.all()));
  stage_.providers[4].weight = 0;
  expect_only_keys_of(4, before, owners(*make(stage_.all())));
}

TEST_F(ConsistentHashTest, ChoosesAsItsSharesSay) {
  const auto balancer = make(stage_.all());
  for (const std::size_t gone : {std::size_t{5}, std::size_t{1}}) {
    const auto usable = [gone](std::size_t i) { return i != gone; };
    std::vector<int> counts(stage_.size(), 0);
    for (const std::size_t provider : owners(*balancer, usable)) ++counts.at(provider);
    EXPECT_TRUE(follow(counts, balancer->shares(stage_.now, usable)));
  }
}

// With 160 points each has its fair share, give or take a third.
TEST_F(ConsistentHashTest, GivesEachMemberAboutAsManyKeys) {
  BalancerStage stage(std::vector<std::uint32_t>(20, 100));
  for (const double share : stage.make(LoadBalance::kConsistentHash)->shares(stage.now, kAnyone)) {
    EXPECT_NEAR(share, 0.05, 0.05 / 3);
  }
}

TEST(HashRing, HasFewerPointsForEachWhereThereAreManyAddresses) {
  std::vector<std::string> texts;
  texts.reserve(2000);
  for (int i = 0; i < 2000; ++i) texts.push_back("10.0.0.1:" + std::to_string(i));
  const std::vector<std::string_view> addresses(texts.begin(), texts.end());
  const HashRing ring(addresses, 160);
  EXPECT_LE(ring.size(), limits::kHashPointsMax);
  EXPECT_GT(ring.size(), limits::kHashPointsMax / 2);
}

TEST(HashRing, BeginsAgainAfterItsLastPoint) {
  const std::vector<std::string_view> addresses = {"10.0.0.1:20880"};
  const HashRing ring(addresses, 4);
  ASSERT_EQ(ring.size(), 4U);
  EXPECT_EQ(ring.first_at_or_after(UINT32_MAX), 0U);
  EXPECT_EQ(ring.next(3), 0U);
  double all = 0;
  for (std::size_t place = 0; place < ring.size(); ++place) all += ring.share(place);
  EXPECT_DOUBLE_EQ(all, 1);
}

}  // namespace
}  // namespace skiff::forwarder
