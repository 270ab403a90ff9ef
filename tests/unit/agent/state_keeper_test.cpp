#include "agent/state_keeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <future>

#include "agent/saved_state_text.h"
#include "agent/state_file.h"
#include "support/fake_control_plane.h"

namespace skiff::agent {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class StateKeeperTest : public testing::Test {
 protected:
  StateKeeperTest() {
    std::string folder = testing::TempDir() + "skiff-state-XXXXXX";
    if (mkdtemp(folder.data()) == nullptr) throw std::runtime_error("no folder");
    folder_ = folder;
  }
  ~StateKeeperTest() override {
    control_.stop();
    keeper_.reset();
    std::filesystem::remove_all(folder_);
  }

  // A keeper of what the last one left.
  void open() {
    on_control([this] { keeper_.reset(); });
    auto keeper = StateKeeper::open(folder_, control_);
    ASSERT_TRUE(keeper) << keeper.error().message;
    keeper_ = std::move(*keeper);
    on_control([this] { keeper_->attach(plane_); });
  }
  template <typename Function>
  void on_control(Function function) {
    std::promise<void> done;
    control_.post([&] {
      function();
      done.set_value();
    });
    done.get_future().get();
  }
  void wait_until_stored() {
    std::promise<void> stored;
    control_.post([&] { keeper_->when_all_stored([&stored] { stored.set_value(); }); });
    stored.get_future().get();
  }
  StateReport report() {
    StateReport report;
    on_control([&] { report = keeper_->report(); });
    return report;
  }

  std::filesystem::path folder_;
  registry::ControlThread control_{"test-control"};
  FakeControlPlane plane_;
  std::unique_ptr<StateKeeper> keeper_;
};

registry::SavedState some_state() {
  registry::SavedState state;
  state.sessions = {{"memory", "a ticket"}};
  return state;
}

TEST_F(StateKeeperTest, RestoresWhatItsPredecessorKept) {
  open();
  EXPECT_EQ(plane_.saved_state, registry::SavedState());
  const registry::ListedProvider url(*dubbo::Url::parse("dubbo://10.0.0.1:20880/a?x=1"));
  on_control([&] {
    plane_.saved_state = some_state();
    keeper_->on_state_changed();
    keeper_->on_list("memory", "a", {url});
    keeper_->on_list("memory", "b", {url, url});
    keeper_->on_list("memory", "b", {});
  });
  wait_until_stored();
  EXPECT_THAT(report().problem, IsEmpty());

  plane_.saved_state = {};
  open();
  EXPECT_EQ(plane_.saved_state, some_state());
  const std::vector<registry::SavedList> lists = {{"memory", "a", {url}}};
  EXPECT_EQ(plane_.saved_lists, lists);
  // A list that nobody has asked for yet outlives further restarts.
  on_control([&] { keeper_->on_list("memory", "c", {url}); });
  wait_until_stored();
  open();
  EXPECT_THAT(plane_.saved_lists, SizeIs(2));
}

TEST_F(StateKeeperTest, RestoresTheRulesThatItsPredecessorKept) {
  open();
  const std::vector<registry::SavedRules> rules = {
      {"memory", registry::RuleSubject::urls_of("a"), {{"override://0.0.0.0/a?x=1"}, {}}}};
  on_control([&] {
    plane_.saved_rules = rules;
    keeper_->on_rules_changed();
  });
  wait_until_stored();
  plane_.saved_rules = {};
  open();
  EXPECT_EQ(plane_.saved_rules, rules);
}

TEST_F(StateKeeperTest, WritesNoListThatIsAsItWas) {
  open();
  const registry::ListedProvider url(*dubbo::Url::parse("dubbo://10.0.0.1:20880/a?x=1"));
  on_control([&] { keeper_->on_list("memory", "a", {url}); });
  wait_until_stored();
  const auto writes = report().writes;
  on_control([&] {
    keeper_->on_list("memory", "a", {url});
    keeper_->on_list("memory", "unknown", {});
  });
  wait_until_stored();
  EXPECT_EQ(report().writes, writes);
}

TEST_F(StateKeeperTest, SetsAsideWhatItCannotUse) {
  ASSERT_TRUE(write_state_file(folder_ / "state.json", "{}"));
  std::ofstream(folder_ / "directory.json") << "half of";
  open();
  EXPECT_EQ(report().files_set_aside, 2U);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "state.json.unusable-1"));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "directory.json.unusable-1"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "state.json"));
}

TEST_F(StateKeeperTest, BelongsToOneAgentAtATime) {
  open();
  const auto second = StateKeeper::open(folder_, control_);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr(": another agent uses it"));
  keeper_.reset();
  EXPECT_TRUE(StateKeeper::open(folder_, control_));
}

TEST_F(StateKeeperTest, SaysWhatItCannotWrite) {
  open();
  std::filesystem::create_directory(folder_ / "directory.json.new");
  on_control([&] { keeper_->on_list("memory", "a", {registry::ListedProvider(dubbo::Url())}); });
  wait_until_stored();
  EXPECT_THAT(report().problem, HasSubstr("directory.json.new: cannot create it"));
  EXPECT_EQ(report().write_failures, 1U);
}

TEST_F(StateKeeperTest, RemembersTheRoutesOfTheApi) {
  open();
  const SavedRoutes routes = {{"demo", "domains: '*'\n"}, {"other", "{\"a\": \"\u00e9\"}"}};
  on_control([&] { keeper_->on_routes_changed(routes); });
  std::promise<void> stored;
  control_.post([&] { keeper_->when_routes_stored([&stored] { stored.set_value(); }); });
  stored.get_future().get();
  open();
  EXPECT_EQ(keeper_->saved_routes(), routes);
}

TEST_F(StateKeeperTest, SetsAsideAFileOfRoutesThatCannotBeUsed) {
  ASSERT_TRUE(
      write_state_file((folder_ / "routes.json").string(), R"({"routes": [{"name": "a"}]})"));
  open();
  EXPECT_THAT(keeper_->saved_routes(), IsEmpty());
  EXPECT_EQ(report().files_set_aside, 1U);
}

}  // namespace
}  // namespace skiff::agent
