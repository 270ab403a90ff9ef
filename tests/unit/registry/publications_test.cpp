// How publications come into a registry that does what the test says, their weight in steps.

#include "registry/publications.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "registry/limits.h"
#include "registry/registry_link.h"
#include "registry/warmup.h"
#include "support/manual_executor.h"

namespace skiff::registry {
namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const std::string kDemo = "com.example.DemoService";
constexpr unsigned kSteps = 4;
// Between two of them, of a warm-up of 10 minutes; and with the most that a step may be late.
constexpr milliseconds kStep = 200s;
constexpr milliseconds kLateStep = kStep + kStep / kWeightStepJitterDivisor;

// Holds what it is told to, at once or when the test says so.
class FakeRegistry final : public Registry {
 public:
  FakeRegistry(std::string name, Executor& executor, RegistryEvents& events)
      : name_(std::move(name)), executor_(executor), events_(events) {}

  void start() override { set_connected(true); }
  void register_url(const dubbo::Url& url) override { pending_.push_back({url, true}), work(); }
  void register_successor(const dubbo::Url& url) override {
    successors.insert(url.to_string());
    register_url(url);
  }
  void unregister_url(const dubbo::Url& url) override { pending_.push_back({url, false}), work(); }
  void watch(const std::string& /*interface*/) override {}
  void unwatch(const std::string& /*interface*/) override {}
  void watch_rules(const RuleSubject& subject) override {
    if (tells_rules) executor_.post([this, subject] { events_.on_rules(subject, {}); });
  }
  void unwatch_rules(const RuleSubject& /*subject*/) override {}
  std::string name() const override { return name_; }
  bool connected() const override { return connected_; }
  std::string server_address() const override { return {}; }

  void set_connected(bool connected) {
    connected_ = connected;
    executor_.post([this, connected] { events_.on_connection(connected, "as the test wants"); });
    work();
  }
  void refuse(const dubbo::Url& url) {
    executor_.post([this, url] {
      events_.on_register_failed(url, Error{ErrorCode::kUnavailable, "refused"});
    });
  }

  // "+25", "-25": the weights of the nodes that came and went, "100" where a URL names none.
  std::vector<std::string> log;
  std::set<std::string> nodes;
  std::set<std::string> successors;
  bool hung = false;  // connected, but slow
  bool tells_rules = true;

 private:
  struct Operation {
    dubbo::Url url;
    bool is_wanted;
  };

  void work() {
    if (!connected_ || hung) return;
    for (const Operation& operation : std::exchange(pending_, {})) {
      const std::string text = operation.url.to_string();
      const std::string weight(operation.url.parameter("weight", "100"));
      const bool changes = operation.is_wanted ? nodes.insert(text).second : nodes.erase(text) != 0;
      if (changes) log.push_back((operation.is_wanted ? "+" : "-") + weight);
      executor_.post([this, operation] {
        operation.is_wanted ? events_.on_registered(operation.url)
                            : events_.on_unregistered(operation.url);
      });
    }
  }

  const std::string name_;
  Executor& executor_;
  RegistryEvents& events_;
  bool connected_ = false;
  std::vector<Operation> pending_;
};

// One process; the test starts a second one with what the first has left.
class Process final : private RegistryLinkEvents {
 public:
  Process(ManualExecutor& executor, unsigned steps, std::size_t registries = 1)
      : executor_(executor), publications_(stamps_, withdrawals_, executor, rules_, govern, steps) {
    for (std::size_t i = 0; i < registries; ++i) {
      auto opened = RegistryLink::open(i == 0 ? "memory" : "zookeeper://10.0.0.9:2181", context_);
      links_.push_back(std::move(*opened));
    }
  }

  void start() {
    for (const auto& link : links_) link->start();
    executor_.run();
  }
  Publications& publications() { return publications_; }
  FakeRegistry& registry(std::size_t i = 0) {
    return dynamic_cast<FakeRegistry&>(links_.at(i)->registry());
  }
  std::vector<RegistryLink*> links() {
    std::vector<RegistryLink*> result;
    for (const auto& link : links_) result.push_back(link.get());
    return result;
  }
  void publish(const PublicationRequest& request) {
    ASSERT_TRUE(publications_.publish(request, links(), ""));
    executor_.run();
  }
  void restore(const SavedState::Publication& saved) {
    ASSERT_TRUE(publications_.restore(saved, links(), ""));
  }
  PublicationStatus status(std::size_t i = 0) { return publications_.status().at(i); }
  // What the rules say of the interface, in every registry.
  void set_rules(const std::vector<std::string>& urls) {
    for (const auto& link : links_) {
      rules_.on_rules(*link, RuleSubject::urls_of(kDemo),
                      {.texts = {urls, {}}, .unread = {}, .told_at = {}});
    }
    executor_.run();
  }
  RuleBook& rules() { return rules_; }
  bool is_leaving() const { return !withdrawals_.is_empty(); }

 private:
  void on_link_changed(RegistryLink& link) override { publications_.on_link_changed(link); }
  void on_registered(RegistryLink& link, const dubbo::Url& url) override {
    publications_.on_registered(link, url);
  }
  void on_register_failed(RegistryLink& link, const dubbo::Url& url, const Error& error) override {
    publications_.on_register_failed(link, url, error);
  }
  void on_unregistered(RegistryLink& link, const dubbo::Url& url) override {
    withdrawals_.on_unregistered(link, url);
  }
  void on_providers(RegistryLink& /*link*/, const std::string& /*interface*/,
                    const std::vector<dubbo::Url>& /*providers*/) override {}
  void on_rules(RegistryLink& link, const RuleSubject& subject,
                const ReportedRules& reported) override {
    rules_.on_rules(link, subject, reported);
  }

  // Each rule is a parameter of the provider.
  static dubbo::Url govern(const dubbo::Url& provider, const dubbo::RuleTexts& rules) {
    dubbo::Url result = provider;
    for (const std::string& rule : rules.urls) {
      const auto equals = rule.find('=');
      result.parameters.insert_or_assign(rule.substr(0, equals), rule.substr(equals + 1));
    }
    return result;
  }

  ManualExecutor& executor_;
  HostResolver resolver_{executor_};
  NoStateStore store_;
  const AdvertiseSpec advertise_ = *parse_advertise("10.0.0.5");
  const RegistryLinkContext context_{
      .executor = executor_,
      .resolver = resolver_,
      .events = *this,
      .store = store_,
      .advertise = advertise_,
      .inbound_port = 20882,
      .open = [](const std::string& address, Executor& executor, RegistryEvents& events,
                 const RegistryOptions& /*options*/) -> Result<std::unique_ptr<Registry>> {
        return std::make_unique<FakeRegistry>(address, executor, events);
      }};
  UrlStamps stamps_{"skiff"};
  Withdrawals withdrawals_;
  std::vector<std::unique_ptr<RegistryLink>> links_;
  RegistryMetrics metrics_;
  RuleBook rules_{executor_, store_, metrics_, [this](const std::string& reader, auto) {
                    publications_.on_rules_changed(reader);
                  }};
  Publications publications_;
};

class WeightSteps : public testing::Test {
 protected:
  void start(unsigned steps = kSteps, std::size_t registries = 1) {
    process_ = std::make_unique<Process>(executor_, steps, registries);
    process_->start();
  }
  // The successor finds in the registry what was there.
  void restart(const SavedState::Publication& saved, unsigned steps = kSteps,
               bool registry_hangs = false) {
    auto nodes = std::move(registry().nodes);
    process_ = std::make_unique<Process>(executor_, steps);
    registry().nodes = std::move(nodes);
    registry().hung = registry_hangs;
    process_->restore(saved);
    process_->start();
  }
  static PublicationRequest request(std::map<std::string, std::string> parameters = {}) {
    PublicationRequest request;
    request.service.interface = kDemo;
    request.port = 20880;
    request.parameters = std::move(parameters);
    return request;
  }
  static PublicationId id() { return {{kDemo, "", ""}, 20880}; }
  void publish(std::map<std::string, std::string> parameters = {}) {
    process_->publish(request(std::move(parameters)));
  }
  FakeRegistry& registry(std::size_t i = 0) { return process_->registry(i); }
  std::vector<std::string>& log() { return registry().log; }
  SavedState::Publication saved() { return process_->publications().saved().at(0); }
  // As if the provider had come so long ago, and the registry's node said so.
  SavedState::Publication aged(milliseconds age) {
    SavedState::Publication result = saved();
    for (SavedState::Written& written : result.written) {
      dubbo::Url url = *dubbo::Url::parse(written.url);
      const bool was_there = registry().nodes.erase(written.url) != 0;
      url.parameters["timestamp"] =
          std::to_string(std::stoll(url.parameters["timestamp"]) - age.count());
      written.url = url.to_string();
      if (was_there) registry().nodes.insert(written.url);
    }
    return result;
  }

  ManualExecutor executor_;
  std::unique_ptr<Process> process_;
};

TEST_F(WeightSteps, LeadUpToTheUrlThatIsWrittenWithoutThem) {
  start();
  publish({{"retries", "1"}});
  EXPECT_EQ(process_->status().warming_up, "weight 25 of 100");
  EXPECT_TRUE(process_->status().registered);
  for (int i = 0; i < 3; ++i) executor_.advance(kLateStep);
  EXPECT_THAT(log(), ElementsAre("+25", "+50", "-25", "+75", "-50", "+100", "-75"));
  ASSERT_THAT(registry().nodes, SizeIs(1));
  const std::string last = *registry().nodes.begin();
  EXPECT_EQ(process_->status().url, last);
  EXPECT_EQ(process_->status().warming_up, "");

  const dubbo::Url stepped = *dubbo::Url::parse(last);
  start(0);
  publish({{"retries", "1"}});
  EXPECT_THAT(log(), ElementsAre("+100"));
  dubbo::Url at_once = *dubbo::Url::parse(*registry().nodes.begin());
  at_once.parameters["timestamp"] = stepped.parameter("timestamp");
  EXPECT_EQ(at_once.to_string(), last);
}

TEST_F(WeightSteps, AreTakenAtTheirTimesAndALittleLate) {
  start();
  publish();
  for (int i = 1; i < 50; ++i) {
    PublicationRequest another = request();
    another.service.interface += std::to_string(i);
    process_->publish(another);
  }
  executor_.advance(kStep - 1ms);
  EXPECT_THAT(log(), SizeIs(50));
  executor_.advance(kStep / kWeightStepJitterDivisor / 2);
  EXPECT_GT(log().size(), 50U);
  EXPECT_LT(log().size(), 150U) << "not all at once";
  executor_.advance(kStep / kWeightStepJitterDivisor / 2 + 1ms);
  EXPECT_THAT(log(), SizeIs(150));
}

TEST_F(WeightSteps, AreNotMadeForWhoWantsNone) {
  start();
  const std::vector<std::pair<std::string, std::string>> settings = {
      {"weight", "0"}, {"weight", "1"}, {"warmup", "0"}, {"warmup", "1"}};
  for (const auto& [key, value] : settings) {
    registry().log.clear();
    publish({{key, value}});
    executor_.advance(kLateStep);
    EXPECT_FALSE(is_weight_step(*dubbo::Url::parse(process_->status().url))) << key << value;
    process_->publications().withdraw(id());
    executor_.run();
    EXPECT_THAT(log(), SizeIs(2)) << key << value;
  }
}

TEST_F(WeightSteps, SayThatTheirProviderIsNotNew) {
  start();
  publish();
  EXPECT_THAT(registry().successors, IsEmpty());
  executor_.advance(kLateStep);
  EXPECT_THAT(registry().successors, ElementsAre(process_->status().url));
}

TEST_F(WeightSteps, EndWhereThePublicationIsWithdrawn) {
  start();
  publish();
  registry().hung = true;
  executor_.advance(kLateStep);
  EXPECT_THAT(saved().written, SizeIs(2)) << "in the middle of a step";
  process_->publications().withdraw(id());
  registry().hung = false;
  registry().set_connected(true);
  executor_.run();
  EXPECT_THAT(registry().nodes, IsEmpty());
  EXPECT_FALSE(process_->is_leaving());
  log().clear();
  executor_.advance(1h);
  EXPECT_THAT(log(), IsEmpty());
}

TEST_F(WeightSteps, BeginAnewWhereTheProviderWasDown) {
  start();
  publish();
  executor_.advance(2 * kLateStep);
  EXPECT_EQ(process_->status().warming_up, "weight 75 of 100");
  process_->publications().set_obstacle(id(), "it is down");
  executor_.run();
  EXPECT_THAT(registry().nodes, IsEmpty());
  executor_.advance(1h);
  process_->publications().set_obstacle(id(), "");
  executor_.run();
  log().clear();
  EXPECT_EQ(process_->status().warming_up, "weight 25 of 100");
  executor_.advance(kStep - 1ms);
  EXPECT_THAT(log(), IsEmpty());
  executor_.advance(kStep);
  EXPECT_THAT(log(), ElementsAre("+50", "-25"));
}

// By the timestamp of the last URL, consumers must take it for warm.
TEST_F(WeightSteps, BeginAnewWhereTheRequestIsAnotherOne) {
  start();
  publish();
  executor_.advance(kLateStep);
  log().clear();
  publish({{"weight", "1000"}, {"warmup", "300000"}});
  EXPECT_THAT(log(), ElementsAre("+250", "-50"));
  executor_.advance(kLateStep);
  executor_.advance(kLateStep);
  EXPECT_EQ(log().back(), "-750");
  EXPECT_EQ(log().at(log().size() - 2), "+1000");
}

TEST_F(WeightSteps, WaitForTheConfirmationOfTheOneBefore) {
  start();
  publish();
  registry().hung = true;
  executor_.advance(1h);
  EXPECT_THAT(saved().written, SizeIs(2)) << "not one for each step";
  EXPECT_THAT(log(), ElementsAre("+25"));
  EXPECT_TRUE(process_->status().registered) << "the one before is there";
  registry().hung = false;
  registry().set_connected(true);
  executor_.run();
  EXPECT_THAT(log(), ElementsAre("+25", "+50", "-25", "+100", "-50"));
}

TEST_F(WeightSteps, WaitForARegistryThatIsAway) {
  start();
  publish();
  registry().set_connected(false);
  executor_.advance(kLateStep);
  EXPECT_THAT(saved().written, SizeIs(1));
  executor_.advance(kLateStep);
  registry().set_connected(true);
  executor_.run();
  EXPECT_THAT(log(), ElementsAre("+25", "+75", "-25"));
  executor_.advance(kLateStep);
  EXPECT_THAT(log(), ElementsAre("+25", "+75", "-25", "+100", "-75"));
}

TEST_F(WeightSteps, WaitWhereANodeIsLostUntilItIsBack) {
  start();
  publish();
  registry().refuse(*dubbo::Url::parse(process_->status().url));
  executor_.advance(kLateStep);
  EXPECT_THAT(log(), ElementsAre("+25"));
  registry().register_url(*dubbo::Url::parse(process_->status().url));
  executor_.run();
  EXPECT_THAT(log(), ElementsAre("+25", "+50", "-25"));
}

TEST_F(WeightSteps, CountFromTheFirstConfirmation) {
  start();
  registry().set_connected(false);
  publish();
  executor_.advance(1h);
  registry().set_connected(true);
  executor_.run();
  EXPECT_THAT(log(), ElementsAre("+25"));
  executor_.advance(kStep - 1ms);
  EXPECT_THAT(log(), SizeIs(1));
}

TEST_F(WeightSteps, AreTheSameInARegistryThatComesLater) {
  start(kSteps, 2);
  registry(1).set_connected(false);
  publish();
  executor_.advance(2 * kLateStep);
  registry(1).set_connected(true);
  executor_.run();
  EXPECT_EQ(process_->status(0).url, process_->status(1).url);
  EXPECT_EQ(process_->status(1).warming_up, "weight 75 of 100");
}

TEST_F(WeightSteps, GoOnInALaterProcessFromTheAgeThatTheTimestampTells) {
  start();
  publish();
  const std::string before = saved().written[0].url;
  restart(saved());
  EXPECT_THAT(log(), IsEmpty()) << "nothing changes by the restart";
  EXPECT_THAT(registry().nodes, ElementsAre(before));
  EXPECT_EQ(process_->status().warming_up, "weight 25 of 100");

  restart(aged(kStep + 1s));
  EXPECT_THAT(log(), ElementsAre("+50", "-25"));
  restart(aged(kStep - 11s));
  EXPECT_THAT(log(), IsEmpty());
  executor_.advance(10s + kStep / kWeightStepJitterDivisor);
  EXPECT_THAT(log(), ElementsAre("+75", "-50"));
  restart(aged(1h));
  EXPECT_THAT(log(), ElementsAre("+100", "-75"));
}

TEST_F(WeightSteps, AreNotMadeByALaterProcessThatFindsTheWholeWeight) {
  start(0);
  publish();
  restart(saved());
  EXPECT_THAT(log(), IsEmpty());
  executor_.advance(1h);
  EXPECT_THAT(log(), IsEmpty());
}

TEST_F(WeightSteps, AreMadeByALaterProcessOfWhatIsAskedForAnew) {
  start(0);
  publish();
  restart(saved());
  publish({{"retries", "1"}});
  EXPECT_THAT(log(), ElementsAre("+25", "-100"));
}

// What an earlier process wrote may be there, whether or not the registry has said so.
TEST_F(WeightSteps, ComeBeforeTheUrlThatAnEarlierProcessLeft) {
  start();
  publish();
  constexpr bool kHangs = true;
  restart(saved(), kSteps, kHangs);
  publish({{"retries", "1"}});
  EXPECT_THAT(saved().written, SizeIs(2)) << "both are kept in mind";
  registry().hung = false;
  registry().set_connected(true);
  executor_.run();
  EXPECT_THAT(log(), ElementsAre("+25", "-25"));
}

TEST_F(WeightSteps, NeverTakeBackAWeightThatWasReached) {
  start();
  publish();
  executor_.advance(kLateStep);
  // Our clock says that it has only just come.
  restart(saved(), 10);
  EXPECT_THAT(log(), IsEmpty());
  executor_.advance(600s / 9 / 2);
  EXPECT_THAT(log(), IsEmpty());
  executor_.advance(600s / 9);
  EXPECT_THAT(log(), ElementsAre("+60", "-50"));
}

TEST_F(WeightSteps, EndWithARestartThatSwitchesThemOff) {
  start();
  publish();
  restart(saved(), 0);
  EXPECT_THAT(log(), ElementsAre("+100", "-25"));
  EXPECT_EQ(process_->status().warming_up, "");
}

// Else there would be a moment without any.
TEST_F(WeightSteps, LeaveTheNodeBeforeToALaterProcessThatHasYetToWriteTheNextOne) {
  start();
  publish();
  registry().hung = true;
  executor_.advance(kLateStep);
  const SavedState::Publication left = saved();
  ASSERT_THAT(left.written, SizeIs(2));
  restart(left);
  EXPECT_THAT(log(), ElementsAre("+50", "-25"));
}

TEST_F(WeightSteps, AreThoseOfTheWeightThatTheRulesWant) {
  start();
  publish();
  process_->set_rules({"weight=200"});
  EXPECT_THAT(log(), ElementsAre("+25", "+50", "-25"));
  EXPECT_EQ(process_->status().warming_up, "weight 50 of 200");
  executor_.advance(kLateStep);
  EXPECT_THAT(log(), ElementsAre("+25", "+50", "-25", "+100", "-50"));
  process_->set_rules({});
  EXPECT_EQ(process_->status().warming_up, "weight 50 of 100");
}

using GovernedPublications = WeightSteps;

TEST_F(GovernedPublications, FollowTheirRulesWithANewNodeBeforeTheOldOneGoes) {
  start(0);
  publish();
  const std::string before = process_->status().url;
  process_->set_rules({"weight=10"});
  EXPECT_THAT(log(), ElementsAre("+100", "+10", "-100"));
  const std::string after = process_->status().url;
  EXPECT_THAT(registry().successors, ElementsAre(after));
  EXPECT_EQ(dubbo::Url::parse(after)->parameter("timestamp"),
            dubbo::Url::parse(before)->parameter("timestamp"));
  process_->set_rules({"weight=10"});
  EXPECT_THAT(log(), SizeIs(3));
  process_->set_rules({});
  EXPECT_EQ(process_->status().url, before);
  EXPECT_THAT(registry().nodes, ElementsAre(before));
}

TEST_F(GovernedPublications, AreDisabledByRules) {
  start(0);
  publish();
  process_->set_rules({"enabled=false"});
  EXPECT_EQ(dubbo::Url::parse(process_->status().url)->parameter("enabled"), "false");
  EXPECT_THAT(registry().nodes, ElementsAre(process_->status().url));
}

TEST_F(GovernedPublications, WaitForTheirRulesAndNoLongerThanTheirTime) {
  start(0);
  registry().tells_rules = false;
  publish();
  EXPECT_THAT(log(), IsEmpty());
  process_->set_rules({"weight=10"});
  EXPECT_THAT(log(), IsEmpty()) << "of two other subjects nothing is known";
  executor_.advance(kRulesWait);
  EXPECT_THAT(log(), ElementsAre("+10"));
}

TEST_F(GovernedPublications, FollowARuleWhenTheOneBeforeIsConfirmed) {
  start(0);
  publish();
  registry().hung = true;
  process_->set_rules({"weight=10"});
  process_->set_rules({"weight=20"});
  process_->set_rules({"weight=30"});
  EXPECT_THAT(saved().written, SizeIs(2)) << "not one for each rule";
  registry().hung = false;
  registry().set_connected(true);
  executor_.run();
  EXPECT_THAT(log(), ElementsAre("+100", "+10", "-100", "+30", "-10"));
}

TEST_F(GovernedPublications, AreKeptByALaterProcessThatKnowsTheirRules) {
  start(0);
  publish();
  process_->set_rules({"weight=10"});
  const SavedState::Publication left = saved();
  const std::vector<SavedRules> rules = process_->rules().saved();
  auto nodes = std::move(registry().nodes);
  process_ = std::make_unique<Process>(executor_, 0);
  registry().nodes = std::move(nodes);
  registry().tells_rules = false;  // it is slow
  process_->rules().remember(rules);
  process_->restore(left);
  process_->start();
  executor_.advance(kRulesWait);
  EXPECT_THAT(log(), IsEmpty());
  EXPECT_EQ(process_->status().url, left.written[0].url);
}

TEST_F(GovernedPublications, StayWhoAndWhereTheyAre) {
  start(0);
  publish();
  const std::string before = process_->status().url;
  process_->set_rules({"group=another"});
  process_->set_rules({"timestamp=1"});
  EXPECT_EQ(process_->status().url, before);
}

}  // namespace
}  // namespace skiff::registry
