#include "governance/demand_index.h"

#include <gtest/gtest.h>

#include <string>

namespace skiff::governance {
namespace {

// Whether a request with `attachments` may meet `demand`, which is the only one.
bool may_meet(const AttachmentDemand& demand, const dubbo::Attachments& attachments) {
  DemandIndex index;
  const DemandIndex::Demand kept = index.add(demand);
  return index.look_at({.method = "find", .attachments = &attachments}).may_meet(kept);
}

bool may_meet(const AttachmentDemand& demand, std::string_view key, std::string_view text) {
  dubbo::Attachments attachments;
  attachments.add(key, text);
  return may_meet(demand, attachments);
}

TEST(DemandIndex, LetsThroughWhatIsOneOfTheTexts) {
  for (const std::string text : {"gray", "blue", ""}) {
    EXPECT_TRUE(may_meet({"env", {"gray", "blue", ""}}, "env", text)) << text;
  }
}

TEST(DemandIndex, HoldsBackAnAttachmentThatIsNotThere) {
  EXPECT_FALSE(may_meet({"env", {"gray", ""}}, dubbo::Attachments()));
  EXPECT_FALSE(may_meet({"env", {"gray", ""}}, "environment", "gray"));
}

TEST(DemandIndex, HoldsBackMostOtherTexts) {
  constexpr int kTexts = 6400;
  int let_through = 0;
  for (int i = 0; i < kTexts; ++i) {
    let_through += may_meet({"env", {"gray"}}, "env", "text-" + std::to_string(i)) ? 1 : 0;
  }
  EXPECT_LT(let_through, kTexts / 64 * 2);
}

TEST(DemandIndex, TellsTextsApartThatBeginAlike) {
  const std::string begin(1000, 'a');
  int let_through = 0;
  for (char c = 'b'; c <= 'z'; ++c) {
    let_through += may_meet({"env", {begin + "0"}}, "env", begin + c) ? 1 : 0;
  }
  EXPECT_LT(let_through, 5);
}

TEST(DemandIndex, LetsThroughForWhatDemandsNothing) {
  DemandIndex index;
  const DemandIndex::Demand nothing = index.add(std::nullopt);
  const dubbo::Attachments none;
  EXPECT_TRUE(index.look_at({.method = "find", .attachments = &none}).may_meet(nothing));
}

TEST(DemandIndex, LetsThroughForKeysThatItDoesNotLookAt) {
  DemandIndex index;
  std::vector<std::string> keys;
  for (std::size_t i = 0; i <= DemandIndex::kKeysMax; ++i) keys.push_back(std::to_string(i));
  std::vector<DemandIndex::Demand> demands;
  demands.reserve(keys.size());
  for (const std::string& key : keys) demands.push_back(index.add(AttachmentDemand{key, {"a"}}));
  const dubbo::Attachments none;
  const auto sent = index.look_at({.method = "find", .attachments = &none});
  for (std::size_t i = 0; i < DemandIndex::kKeysMax; ++i) {
    EXPECT_FALSE(sent.may_meet(demands[i])) << i;
  }
  EXPECT_TRUE(sent.may_meet(demands.back()));
}

}  // namespace
}  // namespace skiff::governance
