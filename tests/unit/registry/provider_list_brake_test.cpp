#include "registry/provider_list_brake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "registry/limits.h"

namespace skiff::registry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr seconds kEmptyTime{100};
constexpr seconds kHoldTime{300};

dubbo::Url provider(int number, const std::string& parameters = "version=1.0.0") {
  return *dubbo::Url::parse("dubbo://10.0.0." + std::to_string(number) +
                            ":20880/com.example.Demo?" + parameters);
}

std::vector<dubbo::Url> providers(int first, int last) {
  std::vector<dubbo::Url> list;
  for (int number = first; number <= last; ++number) list.push_back(provider(number));
  return list;
}

class Brake : public testing::Test {
 protected:
  void list(const std::vector<dubbo::Url>& listed) {
    brake_.update(registry::listed(listed), now_);
  }
  void pass(milliseconds time) {
    now_ += time;
    brake_.expire(now_);
  }
  void probe(int number, bool is_alive) {
    brake_.on_probe(provider(number).address(), is_alive);
    brake_.expire(now_);
  }
  std::vector<std::string> addresses_to_probe() const {
    std::vector<std::string> addresses;
    for (const auto& [address, services] : brake_.addresses_to_probe())
      addresses.push_back(address);
    return addresses;
  }
  // The last numbers of the addresses that may be called.
  std::vector<int> in_use() const {
    std::vector<int> numbers;
    for (const dubbo::Url& url : urls_of(brake_.providers())) {
      numbers.push_back(std::stoi(url.host.substr(url.host.rfind('.') + 1)));
    }
    return numbers;
  }

  ListProtection protection_{.empty_list_time = kEmptyTime,
                             .vanish_percent = 50,
                             .hold_time = kHoldTime,
                             .check_interval = seconds(0)};
  ProviderListBrake brake_{protection_};
  ProviderListBrake::Time now_{seconds(1'000)};
};

TEST_F(Brake, PassesOnWhatIsListed) {
  list(providers(1, 3));
  EXPECT_THAT(in_use(), ElementsAre(1, 2, 3));
  list(providers(1, 4));
  EXPECT_THAT(in_use(), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(brake_.kept(), IsEmpty());
  EXPECT_FALSE(brake_.next_deadline());
}

TEST_F(Brake, LetsGoOfHalfAtOnce) {
  list(providers(1, 4));
  list(providers(1, 2));
  EXPECT_THAT(in_use(), ElementsAre(1, 2));
  EXPECT_EQ(brake_.take_events().braked, 0);
}

TEST_F(Brake, HoldsThoseOfWhomTooManyVanishAtOnce) {
  list(providers(1, 5));
  list(providers(1, 2));
  EXPECT_THAT(in_use(), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_THAT(brake_.kept(), SizeIs(3));
  EXPECT_THAT(addresses_to_probe(),
              ElementsAre("10.0.0.3:20880", "10.0.0.4:20880", "10.0.0.5:20880"));
  EXPECT_FALSE(brake_.is_stale());
  const auto events = brake_.take_events();
  EXPECT_EQ(events.braked, 3);
  EXPECT_EQ(events.braked_of, 5);
}

TEST_F(Brake, TakesWhatVanishesOneByOneWithinTheWindowForOnce) {
  list(providers(1, 5));
  list(providers(2, 5));
  now_ += kVanishWindow / 2;
  list(providers(3, 5));
  EXPECT_THAT(in_use(), ElementsAre(3, 4, 5));
  now_ += kVanishWindow / 4;
  list(providers(4, 5));
  EXPECT_THAT(in_use(), ElementsAre(1, 2, 3, 4, 5)) << "the first ones come back";
}

TEST_F(Brake, BelievesWhatVanishesSlowly) {
  list(providers(1, 5));
  for (int left = 2; left <= 5; ++left) {
    now_ += kVanishWindow + milliseconds(1);
    list(providers(left, 5));
  }
  EXPECT_THAT(in_use(), ElementsAre(5));
}

TEST_F(Brake, LetsADeadProviderGoAndKeepsOneThatAnswers) {
  list(providers(1, 3));
  list(providers(1, 1));
  probe(2, true);
  probe(3, false);
  EXPECT_THAT(in_use(), ElementsAre(1, 2));
  EXPECT_THAT(addresses_to_probe(), ElementsAre("10.0.0.2:20880"));
  EXPECT_EQ(brake_.take_events().found_dead, 1);
}

TEST_F(Brake, LetsTheServiceGoThatIsDownBehindAnAgent) {
  const auto behind_agent = [](int number) {
    dubbo::Url url = provider(number);
    url.parameters["group"] = "red";
    url.parameters["skiff.port"] = "20880";
    return url;
  };
  list({behind_agent(1), behind_agent(2), provider(3)});
  list({});
  const std::string service = behind_agent(1).service_key().to_string();
  const auto to_probe = brake_.addresses_to_probe();
  EXPECT_THAT(to_probe.at(behind_agent(1).address()), ElementsAre(service));
  EXPECT_THAT(to_probe.at(provider(3).address()), IsEmpty());
  brake_.on_probe(behind_agent(1).address(), true, {service});
  brake_.on_probe(behind_agent(2).address(), true, {"another"});
  brake_.on_probe(provider(3).address(), true, {service});
  brake_.expire(now_);
  EXPECT_THAT(in_use(), ElementsAre(2, 3));
}

TEST_F(Brake, HoldsForTheHoldTimeAtMost) {
  list(providers(1, 3));
  list(providers(1, 1));
  EXPECT_EQ(brake_.next_deadline(), now_ + kHoldTime);
  pass(kHoldTime - milliseconds(1));
  EXPECT_THAT(in_use(), SizeIs(3));
  pass(milliseconds(1));
  EXPECT_THAT(in_use(), ElementsAre(1));
  EXPECT_EQ(brake_.take_events().held_too_long, 2);
  EXPECT_FALSE(brake_.next_deadline());
}

TEST_F(Brake, ForgetsAboutAProviderThatIsListedAgain) {
  list(providers(1, 3));
  list(providers(1, 1));
  list({provider(1), provider(3, "version=1.0.0&timestamp=2")});
  EXPECT_THAT(in_use(), ElementsAre(1, 2, 3));
  EXPECT_THAT(brake_.kept(), ElementsAre(ListedProvider(provider(2))));
  probe(3, false);
  EXPECT_THAT(in_use(), ElementsAre(1, 2, 3)) << "what is listed is not judged by probes";
}

TEST_F(Brake, TakesOtherParametersForTheSameProvider) {
  list(providers(1, 3));
  list({provider(1, "version=1.0.0&weight=1"), provider(2, "version=1.0.0&weight=1"),
        provider(3, "version=1.0.0&weight=1")});
  EXPECT_THAT(brake_.kept(), IsEmpty());
  EXPECT_EQ(brake_.providers()[0].parameter("weight"), "1");
}

TEST_F(Brake, TakesAnotherVersionForAnotherProvider) {
  list({provider(1), provider(2)});
  list({provider(1, "version=2.0.0"), provider(2, "version=2.0.0")});
  EXPECT_THAT(brake_.providers(), SizeIs(4));
  EXPECT_THAT(brake_.kept(), SizeIs(2));
}

TEST_F(Brake, DoesNotHoldWhatSomebodyDisabled) {
  list(providers(1, 3));
  list({provider(1, "version=1.0.0&enabled=false"), provider(2, "version=1.0.0&enabled=false"),
        provider(3, "version=1.0.0&enabled=false")});
  EXPECT_THAT(in_use(), IsEmpty());
  EXPECT_FALSE(brake_.is_stale());
}

TEST_F(Brake, KeepsTheLastListWhereNobodyIsListedAnyMore) {
  list(providers(1, 1));
  list({});
  EXPECT_THAT(in_use(), ElementsAre(1));
  EXPECT_TRUE(brake_.is_stale());
  EXPECT_TRUE(brake_.take_events().went_stale);
  EXPECT_THAT(brake_.kept(), SizeIs(1));
  EXPECT_THAT(addresses_to_probe(), IsEmpty()) << "one of one is not braked";
  EXPECT_EQ(brake_.next_deadline(), now_ + kEmptyTime);
  pass(kEmptyTime);
  EXPECT_THAT(in_use(), IsEmpty());
  EXPECT_FALSE(brake_.is_stale());
  EXPECT_TRUE(brake_.take_events().stale_time_over);
}

TEST_F(Brake, EndsAStaleListWhenSomebodyIsListedAgain) {
  list(providers(1, 1));
  list({});
  list(providers(2, 2));
  EXPECT_THAT(in_use(), ElementsAre(2));
  EXPECT_FALSE(brake_.is_stale());
  EXPECT_FALSE(brake_.next_deadline());
}

TEST_F(Brake, NeverTakesAFirstEmptyListForALoss) {
  list({});
  EXPECT_FALSE(brake_.is_stale());
  EXPECT_THAT(in_use(), IsEmpty());
}

TEST_F(Brake, DropsTheDeadFromAStaleListUnlessAllAreDead) {
  list(providers(1, 3));
  list({});
  EXPECT_TRUE(brake_.is_stale());
  probe(1, false);
  probe(2, false);
  EXPECT_THAT(in_use(), ElementsAre(3));
  probe(3, false);
  EXPECT_THAT(in_use(), ElementsAre(1, 2, 3)) << "none is better than another";
  probe(2, true);
  EXPECT_THAT(in_use(), ElementsAre(2)) << "it came back";
}

TEST_F(Brake, GoesOnHoldingThoseThatAnswerWhenTheStaleTimeIsOver) {
  list(providers(1, 3));
  list({});
  probe(1, false);
  pass(kEmptyTime);
  EXPECT_FALSE(brake_.is_stale());
  EXPECT_THAT(in_use(), ElementsAre(2, 3));
  list({});
  EXPECT_FALSE(brake_.is_stale()) << "an empty list that is told again begins nothing";
  pass(kHoldTime - kEmptyTime);
  EXPECT_THAT(in_use(), IsEmpty());
}

TEST_F(Brake, BelievesNoSilenceOfARegistryThatIsAway) {
  list(providers(1, 3));
  list({});
  probe(1, false);
  brake_.set_registry_away(true, now_);
  EXPECT_FALSE(brake_.next_deadline());
  pass(kEmptyTime + kHoldTime);
  EXPECT_THAT(in_use(), ElementsAre(2, 3)) << "it cannot say that they are back";
  EXPECT_TRUE(brake_.is_stale());
  probe(2, false);
  EXPECT_THAT(in_use(), ElementsAre(3)) << "a probe needs no registry";

  brake_.set_registry_away(false, now_);
  EXPECT_EQ(brake_.next_deadline(), now_ + kEmptyTime);
  pass(kEmptyTime - seconds(1));
  EXPECT_TRUE(brake_.is_stale());
  pass(seconds(1));
  EXPECT_FALSE(brake_.is_stale());
  pass(kHoldTime - kEmptyTime);
  EXPECT_THAT(in_use(), IsEmpty());
}

TEST_F(Brake, BelievesEverythingWhereBothTimesAreZero) {
  ProviderListBrake believing({.empty_list_time = seconds(0),
                               .vanish_percent = 50,
                               .hold_time = seconds(0),
                               .check_interval = seconds(0)});
  believing.update(listed(providers(1, 3)), now_);
  believing.update({}, now_);
  EXPECT_THAT(believing.providers(), IsEmpty());
  EXPECT_FALSE(believing.is_stale());
  EXPECT_FALSE(believing.take_events().went_stale);
  believing.update(listed(providers(1, 3)), now_);
  believing.set_registry_away(true, now_);
  believing.update({}, now_);
  EXPECT_THAT(believing.providers(), IsEmpty()) << "another registry may have said so";
}

TEST_F(Brake, AdoptsAListAsItIs) {
  list(providers(1, 4));
  list(providers(4, 4));
  brake_.adopt(listed(providers(2, 2)));
  EXPECT_THAT(in_use(), ElementsAre(2));
  brake_.adopt({});
  EXPECT_THAT(in_use(), IsEmpty());
  EXPECT_FALSE(brake_.is_stale());
}

}  // namespace
}  // namespace skiff::registry
