// What becomes of what registries say: coalesced, braked, frozen. The time is the test's.

#include "registry/directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <optional>

#include "registry/limits.h"
#include "registry/state_store.h"
#include "support/manual_executor.h"
#include "support/recording_sink.h"

namespace skiff::registry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const std::string kDemo = "com.example.DemoService";

// Answers as the test says; remembers who was asked.
class FakeProbe final : public ProviderProbe {
 public:
  explicit FakeProbe(Executor& executor) : executor_(executor) {}

  void probe(const std::string& address, const std::set<std::string>& services,
             Callback done) override {
    ++asked[address];
    asked_for[address] = services;
    if (answers.contains(address)) {
      executor_.post(
          [done = std::move(done), report = ProbeReport{answers[address], down}] { done(report); });
    } else {
      unanswered.push_back(std::move(done));
    }
  }

  std::map<std::string, int> asked;
  std::map<std::string, std::set<std::string>> asked_for;
  std::map<std::string, ProbeResult> answers;
  std::set<std::string> down;  // where there is an answer
  std::deque<Callback> unanswered;

 private:
  Executor& executor_;
};

class RecordingStore final : public StateStore {
 public:
  void on_state_changed() override {}
  void when_stored(std::function<void()> done) override { done(); }
  void on_list(const std::string& registry, const std::string& interface,
               const ListedProviders& providers) override {
    lists[registry] = {registry, interface, providers};
  }
  void on_rules_changed() override {}

  std::map<std::string, SavedList> lists;  // by registry
};

// Says of each subject at once that there are no rules.
class RulelessRegistry final : public Registry {
 public:
  RulelessRegistry(std::string name, RegistryEvents& events)
      : name_(std::move(name)), events_(events) {}
  void start() override { set_connected(true); }
  void register_url(const dubbo::Url& /*url*/) override {}
  void unregister_url(const dubbo::Url& /*url*/) override {}
  void watch(const std::string& /*interface*/) override {}
  void unwatch(const std::string& /*interface*/) override {}
  void watch_rules(const RuleSubject& subject) override { events_.on_rules(subject, {}); }
  void unwatch_rules(const RuleSubject& /*subject*/) override {}
  std::string name() const override { return name_; }
  bool may_err() const override { return name_ != "memory"; }
  bool connected() const override { return connected_; }
  std::string server_address() const override { return {}; }

  void set_connected(bool connected) {
    connected_ = connected;
    events_.on_connection(connected, {});
  }

 private:
  const std::string name_;
  RegistryEvents& events_;
  bool connected_ = false;
};

// The test says what the link's registry lists.
class DirectoryTest : public testing::Test, private RegistryLinkEvents {
 protected:
  DirectoryTest()
      : link_(*RegistryLink::open("zookeeper://127.0.0.1:1", context_)),
        embedded_(*RegistryLink::open("memory", context_)) {
    link_->start();
    embedded_->start();
    directory_.add_interest(*link_, kDemo);
  }

  static InterfaceConsumers consumers_of(const std::string& /*interface*/) {
    return {.identity = {.application = "skiff", .host = {}, .parameters = {}},
            .services = {{kDemo, "", ""}},
            .applications = {"skiff"}};
  }
  static std::string address(int number) { return "10.0.0." + std::to_string(number) + ":20880"; }
  static std::vector<dubbo::Url> providers(int first, int last) {
    std::vector<dubbo::Url> list;
    for (int number = first; number <= last; ++number) {
      list.push_back(*dubbo::Url::parse("dubbo://" + address(number) + "/" + kDemo));
    }
    return list;
  }

  void list(const std::vector<dubbo::Url>& listed) {
    directory_.set_providers(*link_, kDemo, listed);
  }
  // Another change, after so long that it is no burst.
  void list_later(const std::vector<dubbo::Url>& listed) {
    executor_.advance(kRebuildPause);
    list(listed);
  }
  void set_connected(bool connected) {
    dynamic_cast<RulelessRegistry&>(link_->registry()).set_connected(connected);
  }
  std::size_t in_use() const { return directory_.providers(kDemo).size(); }
  RegistryMetrics measured() const {
    RegistryMetrics figures = metrics_;
    directory_.measure(figures);
    return figures;
  }

  void on_link_changed(RegistryLink& link) override { directory_.on_link_changed(link); }
  void on_registered(RegistryLink& /*link*/, const dubbo::Url& /*url*/) override {}
  void on_register_failed(RegistryLink& /*link*/, const dubbo::Url& /*url*/,
                          const Error& /*error*/) override {}
  void on_unregistered(RegistryLink& /*link*/, const dubbo::Url& /*url*/) override {}
  void on_providers(RegistryLink& /*link*/, const std::string& /*interface*/,
                    const std::vector<dubbo::Url>& /*providers*/) override {}

  void on_rules(RegistryLink& link, const RuleSubject& subject,
                const ReportedRules& reported) override {
    for (RuleBook* book : {&rules_, successors_rules_}) {
      if (book != nullptr) book->on_rules(link, subject, reported);
    }
  }

  ManualExecutor executor_;
  HostResolver resolver_{executor_};
  RecordingStore store_;
  AdvertiseSpec advertise_;
  RegistryLinkContext context_{
      .executor = executor_,
      .resolver = resolver_,
      .events = *this,
      .store = store_,
      .advertise = advertise_,
      .inbound_port = 20882,
      .open = [](const std::string& address, Executor& /*executor*/, RegistryEvents& events,
                 const RegistryOptions&) -> Result<std::unique_ptr<Registry>> {
        return std::make_unique<RulelessRegistry>(address, events);
      }};
  std::unique_ptr<RegistryLink> link_;
  std::unique_ptr<RegistryLink> embedded_;
  RecordingSink sink_;
  RegistryMetrics metrics_;
  FakeProbe probe_{executor_};
  ListProtection protection_{.empty_list_time = seconds(100),
                             .vanish_percent = 50,
                             .hold_time = seconds(300),
                             .check_interval = seconds(0)};
  RuleBook* successors_rules_ = nullptr;
  RuleBook rules_{executor_, store_, metrics_, [this](const std::string& reader, auto told_at) {
                    directory_.on_rules_changed(reader, told_at);
                  }};
  Directory directory_{sink_,    executor_, probe_, protection_,
                       metrics_, store_,    rules_, consumers_of};
};

TEST_F(DirectoryTest, AppliesTheFirstChangeAfterAQuietTimeAtOnce) {
  list(providers(1, 1));
  EXPECT_EQ(in_use(), 1U);
  list_later(providers(1, 2));
  EXPECT_EQ(in_use(), 2U);
}

TEST_F(DirectoryTest, AppliesABurstOfAThousandChangesOnceAPause) {
  list(providers(1, 1));
  executor_.advance(seconds(1));
  constexpr milliseconds kBurst{500};
  for (int change = 0; change < 1'000; ++change) {
    list(providers(1, 2 + change % 200));
    if (change % 2 == 1) executor_.advance(milliseconds(1));
  }
  executor_.advance(kRebuildPause);
  EXPECT_EQ(in_use(), 201U) << "the last one counts";
  EXPECT_LE(sink_.reports[kDemo], 1 + 1 + kBurst / kRebuildPause + 1);
  EXPECT_GE(sink_.reports[kDemo], kBurst / kRebuildPause);
  EXPECT_EQ(metrics_.lists_received, 1'001U);
  EXPECT_EQ(metrics_.lists_applied, static_cast<std::uint64_t>(sink_.reports[kDemo]));
}

TEST_F(DirectoryTest, AppliesTheFirstListOfARegistryAtOnceEvenInABurst) {
  const auto other = RegistryLink::open("zookeeper://127.0.0.2:1", context_);
  ASSERT_TRUE(other);
  directory_.add_interest(**other, kDemo);
  list(providers(1, 1));
  EXPECT_EQ(in_use(), 1U);
  directory_.set_providers(**other, kDemo, providers(2, 2));
  EXPECT_EQ(in_use(), 2U) << "who subscribed is told that the list is in hand";
  directory_.drop_interest(**other, kDemo);
  EXPECT_EQ(in_use(), 1U) << "those of the other one did not vanish";
}

TEST_F(DirectoryTest, TakesAProviderOfSeveralRegistriesForOne) {
  const auto other = RegistryLink::open("zookeeper://127.0.0.2:1", context_);
  ASSERT_TRUE(other);
  directory_.add_interest(**other, kDemo);
  std::vector<dubbo::Url> here = providers(1, 2);
  std::vector<dubbo::Url> there = providers(1, 3);
  here[0].parameters["timestamp"] = "1000";
  there[0].parameters["timestamp"] = "2000";
  there[2].parameters["group"] = "blue";
  there.push_back(there[1]);
  there.back().parameters["group"] = "blue";
  list(here);
  directory_.set_providers(**other, kDemo, there);
  executor_.advance(kRebuildPause);
  EXPECT_THAT(urls_of(directory_.providers(kDemo)),
              testing::UnorderedElementsAre(there[0], here[1], there[2], there[3]));
  list_later({});
  EXPECT_EQ(in_use(), 4U) << "the other one lists them all";
  EXPECT_EQ(measured().kept_providers, 0U);
}

TEST_F(DirectoryTest, AppliesNothingWhereNothingChanged) {
  list(providers(1, 3));
  list_later(providers(1, 3));
  std::vector<dubbo::Url> turned = providers(1, 3);
  std::swap(turned[0], turned[2]);
  list_later(turned);
  EXPECT_EQ(sink_.reports[kDemo], 1);
}

TEST_F(DirectoryTest, KeepsTheLastListOfAServiceThatBecomesEmpty) {
  list(providers(1, 1));
  list_later({});
  EXPECT_EQ(in_use(), 1U);
  EXPECT_TRUE(directory_.status(kDemo)->is_stale);
  EXPECT_THAT(directory_.status(kDemo)->kept, SizeIs(1));
  EXPECT_EQ(measured().stale_lists, 1U);
  EXPECT_EQ(measured().lists_gone_stale, 1U);
  EXPECT_EQ(sink_.reports[kDemo], 1) << "for the data plane nothing changed";

  executor_.advance(protection_.empty_list_time);
  EXPECT_EQ(in_use(), 0U);
  EXPECT_FALSE(directory_.status(kDemo)->is_stale);
  EXPECT_EQ(measured().stale_lists, 0U);
  EXPECT_EQ(measured().stale_lists_ended, 1U);
  EXPECT_THAT(sink_.services[kDemo], IsEmpty());
}

// A provider whose session expired is listed again a moment later: who cannot hear of that any more
// must not believe that it is gone.
TEST_F(DirectoryTest, KeepsTheLastListForAsLongAsTheRegistryIsAway) {
  list(providers(1, 1));
  list_later({});
  set_connected(false);
  executor_.advance(protection_.empty_list_time * 3);
  EXPECT_EQ(in_use(), 1U);
  EXPECT_TRUE(directory_.status(kDemo)->is_stale);
  set_connected(true);
  executor_.advance(protection_.empty_list_time / 2);
  EXPECT_EQ(in_use(), 1U) << "the time begins anew";
  executor_.advance(protection_.empty_list_time / 2);
  EXPECT_EQ(in_use(), 0U);
}

TEST_F(DirectoryTest, WaitsForNoRegistryThatHasNeverListedAnything) {
  const auto never_there = RegistryLink::open("zookeeper://127.0.0.2:1", context_);
  ASSERT_TRUE(never_there);
  directory_.add_interest(**never_there, kDemo);
  list(providers(1, 1));
  list_later({});
  directory_.on_link_changed(**never_there);
  executor_.advance(protection_.empty_list_time);
  EXPECT_EQ(in_use(), 0U);
}

// A restart must not make an agent believe what it did not believe before.
TEST_F(DirectoryTest, LeavesToItsSuccessorWhatItKeeps) {
  list(providers(1, 2));
  list_later({});
  ASSERT_THAT(store_.lists[link_->identity()].providers, SizeIs(2));
  Directory* later = nullptr;
  RuleBook rules(executor_, store_, metrics_, [&later](const std::string& reader, auto told_at) {
    later->on_rules_changed(reader, told_at);
  });
  Directory successor(sink_, executor_, probe_, protection_, metrics_, store_, rules, consumers_of);
  later = &successor;
  successors_rules_ = &rules;
  successor.remember({store_.lists[link_->identity()]});
  successor.add_interest(*link_, kDemo);
  EXPECT_THAT(successor.providers(kDemo), SizeIs(2));
  successor.set_providers(*link_, kDemo, {});
  executor_.advance(kRebuildPause);
  EXPECT_THAT(successor.providers(kDemo), SizeIs(2));
  EXPECT_TRUE(successor.status(kDemo)->is_stale);

  executor_.advance(protection_.hold_time);
  EXPECT_THAT(successor.providers(kDemo), IsEmpty());
  EXPECT_THAT(store_.lists[link_->identity()].providers, IsEmpty());
  successors_rules_ = nullptr;
}

TEST_F(DirectoryTest, BelievesTheEmbeddedRegistry) {
  const std::string local = "com.example.Local";
  directory_.add_interest(*embedded_, local);
  directory_.set_providers(*embedded_, local, providers(1, 4));
  executor_.advance(kRebuildPause);
  directory_.set_providers(*embedded_, local, {});
  EXPECT_THAT(directory_.providers(local), IsEmpty());
  EXPECT_FALSE(directory_.status(local)->is_stale);
}

TEST_F(DirectoryTest, HoldsProvidersThatVanishAndAnswer) {
  for (int number = 1; number <= 4; ++number)
    probe_.answers[address(number)] = ProbeResult::kAnswers;
  list(providers(1, 4));
  list_later(providers(4, 4));
  EXPECT_EQ(in_use(), 4U);
  EXPECT_EQ(measured().kept_providers, 3U);
  EXPECT_EQ(measured().brakes, 1U);
  executor_.advance(protection_.hold_time - kLongestProbePause);
  EXPECT_EQ(in_use(), 4U);
  EXPECT_THAT(probe_.asked, SizeIs(3));
  // With growing pauses: 1, 2, 4, 8, 16, then 30 s, each shortened by up to a half.
  EXPECT_GE(probe_.asked[address(1)], 270 / 30);
  EXPECT_LE(probe_.asked[address(1)], 6 + 2 * 270 / 30);
  executor_.advance(kLongestProbePause);
  EXPECT_EQ(in_use(), 1U) << "for the hold time at most";
  EXPECT_EQ(measured().held_too_long, 3U);
  const int asked = probe_.asked[address(1)];
  executor_.advance(kLongestProbePause * 2);
  EXPECT_EQ(probe_.asked[address(1)], asked) << "nobody holds it any more";
}

TEST_F(DirectoryTest, LetsHeldProvidersGoThatAreDead) {
  probe_.answers = {{address(1), ProbeResult::kGone},
                    {address(2), ProbeResult::kSilent},
                    {address(3), ProbeResult::kUnknown}};
  list(providers(1, 4));
  list_later(providers(4, 4));
  executor_.advance(kFirstProbePause + milliseconds(200));
  EXPECT_EQ(in_use(), 3U) << "the one that refuses connections goes at once";
  EXPECT_EQ(probe_.asked[address(1)], 1);
  executor_.advance(kFirstProbePause * (kSilentProbesToBeDead + 1));
  EXPECT_EQ(in_use(), 2U) << "the silent one after some probes";
  EXPECT_EQ(probe_.asked[address(2)], static_cast<int>(kSilentProbesToBeDead));
  EXPECT_EQ(measured().held_found_dead, 2U);
}

TEST_F(DirectoryTest, ProbesAnAddressOnceForAllServices) {
  constexpr int kServices = 20;
  for (int number = 1; number <= 3; ++number)
    probe_.answers[address(number)] = ProbeResult::kAnswers;
  for (int service = 0; service < kServices; ++service) {
    const std::string name = "com.example.S" + std::to_string(service);
    directory_.add_interest(*link_, name);
    directory_.set_providers(*link_, name, providers(1, 3));
  }
  executor_.advance(kRebuildPause);
  for (int service = 0; service < kServices; ++service) {
    directory_.set_providers(*link_, "com.example.S" + std::to_string(service), {});
  }
  executor_.advance(kFirstProbePause + milliseconds(200));
  for (int number = 1; number <= 3; ++number) EXPECT_LE(probe_.asked[address(number)], 2);
  EXPECT_EQ(measured().stale_lists, static_cast<std::size_t>(kServices));
}

TEST_F(DirectoryTest, AsksAgentsForAllServicesThatTheyHaveToServe) {
  const std::string agent = "10.0.0.9:20882";
  const auto provider_of = [&](const std::string& interface) {
    return std::vector<dubbo::Url>{*dubbo::Url::parse("dubbo://" + agent + "/" + interface +
                                                      "?interface=" + interface +
                                                      "&group=red&version=1.0.0&skiff.port=20880")};
  };
  probe_.answers[agent] = ProbeResult::kAnswers;
  probe_.down = {"red/com.example.B:1.0.0"};
  for (const char* name : {"com.example.A", "com.example.B"}) {
    std::vector<dubbo::Url> listed = providers(1, 1);
    listed.push_back(provider_of(name).front());
    directory_.add_interest(*link_, name);
    directory_.set_providers(*link_, name, listed);
  }
  executor_.advance(kRebuildPause);
  for (const char* name : {"com.example.A", "com.example.B"}) {
    directory_.set_providers(*link_, name, {});
  }
  executor_.advance(kFirstProbePause + milliseconds(200));
  EXPECT_THAT(probe_.asked_for[agent],
              ElementsAre("red/com.example.A:1.0.0", "red/com.example.B:1.0.0"));
  EXPECT_THAT(probe_.asked_for[address(1)], IsEmpty()) << "it is no agent's";
  EXPECT_EQ(measured().held_found_dead, 1U) << "one of the two services there";
}

TEST_F(DirectoryTest, BoundsProbesInNumberAndRate) {
  constexpr int kProviders = 250;
  std::vector<dubbo::Url> many;
  many.reserve(std::size_t{kProviders} * 2);
  for (int i = 0; i < kProviders * 2; ++i) {
    many.push_back(*dubbo::Url::parse("dubbo://10.1." + std::to_string(i / kProviders) + "." +
                                      std::to_string(i % kProviders) + ":20880/" + kDemo));
  }
  list(many);
  list_later({});
  executor_.advance(seconds(10));
  EXPECT_EQ(probe_.unanswered.size(), kMaxProbesUnderWay) << "the others wait";
  for (int turn = 0; turn < 10; ++turn) {
    const auto asked = std::exchange(probe_.unanswered, {});
    for (const auto& done : asked) done({ProbeResult::kAnswers});
    executor_.advance(milliseconds(100));
    EXPECT_LE(probe_.unanswered.size(), kMaxProbesPerSecond / 10);
  }
}

TEST_F(DirectoryTest, AppliesNothingWhileItIsFrozen) {
  list(providers(1, 2));
  executor_.advance(seconds(1));
  directory_.freeze();
  list(providers(1, 3));
  executor_.advance(seconds(1));
  EXPECT_EQ(in_use(), 2U);
  EXPECT_TRUE(directory_.status(kDemo)->has_waiting_change);
  EXPECT_TRUE(measured().is_frozen);
  EXPECT_EQ(measured().waiting_lists, 1U);

  directory_.unfreeze();
  EXPECT_EQ(in_use(), 3U);
  EXPECT_FALSE(measured().is_frozen);
  EXPECT_EQ(measured().waiting_lists, 0U);
}

TEST_F(DirectoryTest, GivesANewServiceItsFirstListThoughItIsFrozen) {
  directory_.freeze();
  list(providers(1, 2));
  EXPECT_EQ(in_use(), 2U);
  list_later(providers(1, 3));
  EXPECT_EQ(in_use(), 2U);
}

TEST_F(DirectoryTest, LosesNobodyToTimeOrProbesWhileItIsFrozen) {
  for (int number = 1; number <= 3; ++number) probe_.answers[address(number)] = ProbeResult::kGone;
  list(providers(1, 3));
  list_later({});
  directory_.freeze();
  executor_.advance(protection_.hold_time + protection_.empty_list_time);
  EXPECT_EQ(in_use(), 3U);
  directory_.unfreeze();
  EXPECT_EQ(in_use(), 0U);
}

TEST_F(DirectoryTest, AppliesAPlannedRebuildOnlyAfterTheFreeze) {
  list(providers(1, 2));
  list(providers(1, 3));
  directory_.freeze();
  executor_.advance(seconds(1));
  EXPECT_EQ(in_use(), 2U);
  directory_.unfreeze();
  EXPECT_EQ(in_use(), 3U);
}

TEST_F(DirectoryTest, TellsWhenTheFirstOfTheAppliedChangesWasTold) {
  list(providers(1, 1));
  EXPECT_THAT(sink_.told[kDemo], IsEmpty()) << "no event told of it";
  executor_.advance(seconds(1));
  const auto first = executor_.now() - milliseconds(3);
  directory_.note_change(kDemo, first);
  list(providers(1, 2));
  EXPECT_THAT(sink_.told[kDemo], ElementsAre(first));
  const auto second = executor_.now();
  directory_.note_change(kDemo, second);
  list(providers(1, 3));
  executor_.advance(milliseconds(10));
  directory_.note_change(kDemo, executor_.now());
  list(providers(1, 4));
  executor_.advance(kRebuildPause);
  EXPECT_THAT(sink_.told[kDemo], ElementsAre(first, second));
  directory_.note_change(kDemo, executor_.now());
  list_later(providers(1, 4));
  EXPECT_THAT(sink_.told[kDemo], SizeIs(2)) << "nothing changed";
}

}  // namespace
}  // namespace skiff::registry
