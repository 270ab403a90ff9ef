#include "registry/weight_steps.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "registry/limits.h"
#include "registry/warmup.h"

namespace skiff::registry {
namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

dubbo::Url provider(const std::string& parameters = "") {
  return *dubbo::Url::parse(
      "dubbo://10.0.0.5:20882/a.Service?interface=a.Service&timestamp=1764000000000" + parameters);
}

TEST(SteppedWeight, IsAPartThatGrowsAtEvenIntervalsUpToTheWholeAtTheEndOfTheWarmUp) {
  struct Expectation {
    milliseconds age;
    SteppedWeight weight;
  };
  const std::vector<Expectation> expectations = {
      {0ms, {25, 200s}},  {200s - 1ms, {25, 200s}}, {200s, {50, 400s}}, {399s, {50, 400s}},
      {400s, {75, 600s}}, {600s - 1ms, {75, 600s}}, {600s, {100, {}}},  {24h, {100, {}}},
  };
  for (const auto& [age, weight] : expectations) {
    EXPECT_EQ(stepped_weight(age, 100, 10min, 4), weight) << age.count();
  }
}

TEST(SteppedWeight, IsTheWholeAtOnceWhereThereIsNothingToStep) {
  constexpr SteppedWeight kWhole{100, {}};
  EXPECT_EQ(stepped_weight(0ms, 100, 10min, 0), kWhole) << "switched off";
  EXPECT_EQ(stepped_weight(0ms, 100, 0ms, 4), kWhole) << "no warm-up";
  EXPECT_EQ(stepped_weight(0ms, 100, kWeightStepMin * 3 - 1ms, 4), kWhole) << "too short";
  EXPECT_NE(stepped_weight(0ms, 100, kWeightStepMin * 3, 4), kWhole);
  EXPECT_EQ(stepped_weight(0ms, 0, 10min, 4), (SteppedWeight{0, {}})) << "wants no traffic";
  EXPECT_EQ(stepped_weight(0ms, 1, 10min, 4), (SteppedWeight{1, {}})) << "there is no less";
}

TEST(SteppedWeight, IsAtLeastOne) {
  EXPECT_EQ(stepped_weight(0ms, 2, 10min, 10).weight, 1U);
  EXPECT_EQ(stepped_weight(10min - 1ms, 2, 10min, 10).weight, 1U);
}

TEST(SteppedWeight, NeverFallsAndPassesDubbosOwnWeightInEachStep) {
  for (unsigned steps = 2; steps <= kMaxWeightSteps; ++steps) {
    std::uint32_t last = 0;
    unsigned weights = 0;
    milliseconds age{0};
    for (;;) {
      const SteppedWeight now = stepped_weight(age, 1000, 10min, steps);
      EXPECT_GT(now.weight, last) << steps;
      last = now.weight;
      ++weights;
      if (!now.next_at) break;
      ASSERT_GT(*now.next_at, age);
      const auto dubbos = [](milliseconds at) { return 1000.0 * at / milliseconds(10min); };
      EXPECT_GE(now.weight, dubbos(age)) << steps;
      EXPECT_LE(now.weight, dubbos(*now.next_at)) << steps;
      age = *now.next_at;
    }
    EXPECT_EQ(weights, steps);
    EXPECT_EQ(last, 1000U);
    EXPECT_EQ(age, 10min);
  }
}

TEST(SteppedUrl, HasAPartOfAllItsWeightsAndNoWarmUpForOthersToAdd) {
  const dubbo::Url wanted = provider("&weight=200&hi.weight=40&bye.weight=0&warmup=9000");
  const SteppedUrl stepped = url_at(wanted, 0ms, 4);
  EXPECT_EQ(stepped.url, provider("&weight=50&hi.weight=10&bye.weight=0&warmup=1"
                                  "&skiff.weight=200&skiff.hi.weight=40&skiff.bye.weight=0"
                                  "&skiff.warmup=9000"));
  EXPECT_EQ(stepped.next_at, 3s);
  EXPECT_TRUE(is_weight_step(stepped.url));
  EXPECT_EQ(warmup_of(stepped.url), 9s);
}

TEST(SteppedUrl, IsTheWantedOneInTheEnd) {
  const dubbo::Url wanted = provider("&hi.weight=40");
  EXPECT_EQ(url_at(wanted, 10min - 1ms, 2).url,
            provider("&hi.weight=20&weight=50&warmup=1&skiff.hi.weight=40&skiff.warmup=600000"));
  EXPECT_EQ(url_at(wanted, 10min, 2).url, wanted);
  EXPECT_FALSE(url_at(wanted, 10min, 2).next_at);
}

TEST(SteppedUrl, TellsTheWantedOne) {
  for (const char* parameters :
       {"", "&weight=200", "&weight=200&hi.weight=40&bye.weight=0&warmup=9000"}) {
    const dubbo::Url wanted = provider(parameters);
    EXPECT_EQ(whole_of(url_at(wanted, 0ms, 4).url), wanted) << parameters;
    EXPECT_EQ(whole_of(wanted), wanted) << parameters;
  }
}

TEST(SteppedUrl, IsRecognizedWhateverTheNumberOfSteps) {
  const dubbo::Url wanted = provider("&weight=200&hi.weight=40");
  for (unsigned steps = 2; steps <= kMaxWeightSteps; ++steps) {
    EXPECT_TRUE(is_step_of(url_at(wanted, 5min, steps).url, wanted)) << steps;
  }
  const dubbo::Url step = url_at(wanted, 0ms, 4).url;
  EXPECT_FALSE(is_step_of(wanted, wanted));
  EXPECT_FALSE(is_step_of(step, provider("&weight=200&hi.weight=40&retries=1")));
  EXPECT_FALSE(is_step_of(step, provider("&weight=200&hi.weight=40&warmup=1000")));
}

TEST(SteppedUrl, IsTheWholeOneWhereAStepWouldBeTooLong) {
  std::string methods;
  for (int i = 0; methods.size() < kMaxRegisteredUrlBytes * 2 / 3; ++i) {
    methods += "&method" + std::to_string(i) + ".weight=100";
  }
  const dubbo::Url wanted = provider(methods);
  EXPECT_EQ(url_at(wanted, 0ms, 4).url, wanted);
  EXPECT_FALSE(url_at(wanted, 0ms, 4).next_at);
}

TEST(SteppedUrl, TellsTheAgeThatItsWeightIsDueAt) {
  const dubbo::Url wanted = provider();
  const dubbo::Url half = url_at(wanted, 200s, 4).url;
  EXPECT_EQ(age_of_step(half, wanted, 4), 200s);
  EXPECT_EQ(age_of_step(half, wanted, 3), 5min) << "33, then 66";
  EXPECT_EQ(age_of_step(half, wanted, 2), 0ms);
  EXPECT_EQ(age_of_step(half, wanted, 0), 0ms) << "it is the whole weight at any age";
  EXPECT_EQ(describe_step(half, wanted), "weight 50 of 100");
}

}  // namespace
}  // namespace skiff::registry
