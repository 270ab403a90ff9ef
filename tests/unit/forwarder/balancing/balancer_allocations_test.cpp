// In the program whose operator new counts.
#include <gtest/gtest.h>

#include "balancing/balancer_stage.h"
#include "tests/unit/support/allocation_counter.h"

namespace skiff::forwarder {
namespace {

using governance::LoadBalance;
using testing::BalancerStage;

class FirstArgument : public governance::ArgumentTexts {
 public:
  std::optional<std::string_view> text(std::size_t index) override {
    return index == 0 ? std::optional<std::string_view>("order-4711") : std::nullopt;
  }
};

TEST(Allocations, NoBalancerAllocatesToChoose) {
  BalancerStage stage({100, 200, 0, 100});
  FirstArgument argument;
  const dubbo::Attachments none;
  const governance::RequestView request{
      .method = "find", .attachments = &none, .arguments = &argument};
  const PickContext context{.now = stage.now, .random = stage.random, .request = &request};
  const auto without_one = [](std::size_t i) { return i != 1; };
  const auto nobody = [](std::size_t) { return false; };
  for (const LoadBalance kind :
       {LoadBalance::kRandom, LoadBalance::kRoundRobin, LoadBalance::kLeastActive,
        LoadBalance::kConsistentHash, LoadBalance::kShortestResponse, LoadBalance::kP2c}) {
    governance::BalancePolicy policy;
    policy.kind = kind;
    const auto balancer =
        make_balancer(policy, stage.providers, stage.endpoints, stage.all(), {0, 1}, 100);
    balancer->pick(context, testing::kAnyone);  // makes the ring of a consistent hash
    balancer->pick(context, without_one);
    const AllocationCounter counter;
    for (int i = 0; i < 1000; ++i) {
      balancer->pick(context, testing::kAnyone);
      balancer->pick(context, without_one);
      balancer->pick(context, nobody);
    }
    EXPECT_EQ(counter.count(), 0U) << static_cast<int>(kind);
  }
}

}  // namespace
}  // namespace skiff::forwarder
