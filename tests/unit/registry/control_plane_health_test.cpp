// What the health of local providers does to what the registries list.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>

#include "registry/control_plane.h"
#include "registry/limits.h"
#include "registry/saved_state.h"
#include "support/manual_executor.h"
#include "support/recording_sink.h"

namespace skiff::registry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using Outcome = CheckResult::Outcome;

constexpr milliseconds kWait{3000};
const std::string kDemo = "com.example.DemoService";

// Remembers what is to be checked; the test says what comes of it.
class FakeChecker final : public ProviderChecker {
 public:
  FakeChecker(std::map<CheckTarget, int>& watched, CheckEvents*& events, CheckEvents& mine)
      : watched_(watched) {
    events = &mine;
  }
  void watch(const CheckTarget& target) override { ++watched_[target]; }
  void unwatch(const CheckTarget& target) override { watched_.erase(target); }

 private:
  std::map<CheckTarget, int>& watched_;
};

class ControlPlaneHealth : public testing::Test {
 protected:
  ControlPlaneHealth() { start({}); }

  // A process with what an earlier one has left.
  void start(const SavedState& state) {
    plane_.reset();
    watched_.clear();
    ControlPlaneConfig config;
    config.advertise = "10.0.0.5";
    auto created = ControlPlane::create(
        config, executor_, sink_, nullptr,
        [this](Executor&, CheckEvents& events) -> Result<std::unique_ptr<ProviderChecker>> {
          return std::make_unique<FakeChecker>(watched_, events_, events);
        });
    EXPECT_TRUE(created);
    plane_ = std::move(*created);
    plane_->restore(state, {}, {});
    plane_->start();
    executor_.run();
    SubscriptionRequest subscription;
    subscription.service.interface = kDemo;
    plane_->subscribe(subscription, kWait, [](const Result<VerbOutcome>&) {});
    executor_.run();
  }

  static PublicationRequest publication(std::uint16_t port = 20880) {
    PublicationRequest request;
    request.service.interface = kDemo;
    request.port = port;
    return request;
  }

  void publish(const PublicationRequest& request) {
    answer_.reset();
    plane_->publish(request, kWait,
                    [this](Result<VerbOutcome> outcome) { answer_ = std::move(outcome); });
    executor_.run();
  }

  void check(Outcome outcome, const std::string& error = "", int times = 1) {
    for (int i = 0; i < times; ++i) {
      now_ += seconds(2);
      std::vector<CheckResult> results;
      for (const auto& [target, count] : watched_)
        results.push_back({target, outcome, error, now_});
      events_->on_check_results(results);
      executor_.run();
    }
  }
  void pass() { check(Outcome::kPassed); }
  void go_down() { check(Outcome::kFailed, "is gone", 3); }

  // After a quiet time: a list changes once in a pause at most.
  std::size_t listed() {
    executor_.advance(kRebuildPause);
    return sink_.services[kDemo].size();
  }
  PublicationStatus status() { return plane_->publications().at(0); }

  ManualExecutor executor_;
  RecordingSink sink_;
  std::map<CheckTarget, int> watched_;
  CheckEvents* events_ = nullptr;
  std::unique_ptr<ControlPlane> plane_;
  std::optional<Result<VerbOutcome>> answer_;
  std::chrono::steady_clock::time_point now_{seconds(1000)};
};

TEST_F(ControlPlaneHealth, RegistersAProviderThatWasPublishedEarlyWhenItsPortOpens) {
  publish(publication());
  EXPECT_FALSE(answer_) << "it waits";
  check(Outcome::kFailed, "cannot be connected to: Connection refused");
  EXPECT_EQ(listed(), 0U);
  EXPECT_EQ(status().reason,
            "the provider at 127.0.0.1:20880 is not ready yet: cannot be connected to: Connection "
            "refused");
  EXPECT_EQ(status().health, "starting");
  pass();
  EXPECT_EQ(listed(), 1U);
  ASSERT_TRUE(answer_ && *answer_);
  EXPECT_EQ((*answer_)->state, VerbState::kRegistered);
  EXPECT_EQ(status().health, "up");
}

TEST_F(ControlPlaneHealth, AnswersPendingWithTheReasonWhereThePortStaysClosed) {
  publish(publication());
  check(Outcome::kFailed, "is closed");
  executor_.advance(kWait);
  ASSERT_TRUE(answer_ && *answer_);
  EXPECT_EQ((*answer_)->state, VerbState::kPending);
  EXPECT_THAT((*answer_)->reason, HasSubstr("127.0.0.1:20880 is not ready yet: is closed"));
  EXPECT_EQ((*answer_)->url, "");
}

TEST_F(ControlPlaneHealth, WithdrawsADeadProviderAndTellsWhoServesRequestsWhy) {
  publish(publication());
  pass();
  check(Outcome::kFailed, "is gone", 2);
  EXPECT_EQ(listed(), 1U);
  check(Outcome::kFailed, "is gone");
  EXPECT_EQ(listed(), 0U);
  EXPECT_EQ(status().health, "down");
  EXPECT_EQ(status().last_error, "is gone");
  EXPECT_FALSE(status().registered);
  ASSERT_THAT(sink_.local_services, SizeIs(1));
  EXPECT_EQ(sink_.local_services[0].down, "the provider at 127.0.0.1:20880 is down: is gone");
  pass();
  EXPECT_EQ(listed(), 1U);
  EXPECT_EQ(sink_.local_services[0].down, "");
}

TEST_F(ControlPlaneHealth, HoldsAFlappingProviderBackAndLetsItInWhenThatIsOver) {
  publish(publication());
  pass();
  go_down();
  pass();
  EXPECT_EQ(listed(), 1U) << "a restart";
  go_down();
  pass();
  EXPECT_EQ(listed(), 0U);
  EXPECT_EQ(status().health, "recovering");
  EXPECT_THAT(status().reason, HasSubstr("went down 2 times"));
  EXPECT_EQ(sink_.local_services.at(0).down, "") << "who comes all the same is served";
  executor_.advance(kFlapPauseMin - kRebuildPause - milliseconds(1));
  EXPECT_EQ(status().health, "recovering");
  executor_.advance(milliseconds(1));
  EXPECT_EQ(listed(), 1U);
}

TEST_F(ControlPlaneHealth, NeverWritesADeadProviderWhenItIsPublishedAgain) {
  publish(publication());
  go_down();
  PublicationRequest changed = publication();
  changed.parameters["weight"] = "5";
  publish(changed);
  EXPECT_EQ(listed(), 0U);
  pass();
  ASSERT_EQ(listed(), 1U);
  EXPECT_THAT(sink_.services[kDemo][0].to_string(), HasSubstr("weight=5"));
}

TEST_F(ControlPlaneHealth, ChecksAtOnceWhatIsPublishedAgain) {
  publish(publication());
  ASSERT_THAT(watched_, SizeIs(1));
  EXPECT_EQ(watched_.begin()->second, 1);
  publish(publication());
  EXPECT_EQ(watched_.begin()->second, 2);
}

TEST_F(ControlPlaneHealth, ChecksAProviderOnceForAllItsPublications) {
  publish(publication());
  PublicationRequest other = publication();
  other.service.interface = "com.example.Other";
  publish(other);
  EXPECT_THAT(watched_, SizeIs(1));
  pass();
  EXPECT_TRUE(plane_->publications().at(0).registered && plane_->publications().at(1).registered);
  plane_->unpublish(other.service, 0, kWait, [](const Result<VerbOutcome>&) {});
  EXPECT_THAT(watched_, SizeIs(1));
  plane_->unpublish(publication().service, 0, kWait, [](const Result<VerbOutcome>&) {});
  EXPECT_THAT(watched_, IsEmpty());
}

TEST_F(ControlPlaneHealth, KeepsItsUrlWhenOnlyTheCheckChanges) {
  publish(publication());
  pass();
  const std::string url = status().url;
  PublicationRequest changed = publication();
  changed.check.type = HealthCheck::Type::kTcp;
  publish(changed);
  EXPECT_EQ(status().url, url);
  ASSERT_THAT(watched_, SizeIs(1));
  EXPECT_EQ(watched_.begin()->first.type, HealthCheck::Type::kTcp);
}

TEST_F(ControlPlaneHealth, HoldsNothingAgainstAProviderThatCouldNotBeChecked) {
  publish(publication());
  pass();
  check(Outcome::kNotMade, "socket: Too many open files", 10);
  EXPECT_EQ(listed(), 1U);
  EXPECT_EQ(plane_->health_counts().not_made, 10U);
}

TEST_F(ControlPlaneHealth, NeedsNoCheckWhereNoneIsWanted) {
  PublicationRequest request = publication();
  request.check.type = HealthCheck::Type::kNone;
  publish(request);
  EXPECT_EQ(listed(), 1U);
  EXPECT_THAT(watched_, IsEmpty());
  EXPECT_EQ(status().health, "unchecked");
}

TEST_F(ControlPlaneHealth, UnpublishesADeadProviderAndForgetsIt) {
  publish(publication());
  pass();
  go_down();
  std::optional<VerbState> state;
  plane_->unpublish(publication().service, 0, kWait,
                    [&state](const Result<VerbOutcome>& outcome) { state = outcome->state; });
  executor_.run();
  EXPECT_EQ(state, VerbState::kUnregistered);
  EXPECT_THAT(plane_->publications(), IsEmpty());
}

TEST_F(ControlPlaneHealth, WithdrawsAPublicationWhoseLeaseIsNotRenewed) {
  PublicationRequest request = publication();
  request.check.type = HealthCheck::Type::kNone;
  request.lease = seconds(40);
  publish(request);
  for (int i = 0; i < 5; ++i) {
    executor_.advance(seconds(39));
    ASSERT_EQ(listed(), 1U) << i;
    const std::string url = status().url;
    publish(request);
    EXPECT_EQ(status().url, url);
  }
  executor_.advance(seconds(40));
  EXPECT_EQ(listed(), 1U) << "no shorter than it says";
  executor_.advance(seconds(10));
  EXPECT_EQ(listed(), 0U);
  EXPECT_THAT(plane_->publications(), IsEmpty());
  EXPECT_EQ(plane_->health_counts().leases_ended, 1U);
}

TEST_F(ControlPlaneHealth, KeepsAPublicationThatIsPublishedAgainWithoutItsLease) {
  PublicationRequest request = publication();
  request.check.type = HealthCheck::Type::kNone;
  request.lease = seconds(40);
  publish(request);
  request.lease.reset();
  publish(request);
  executor_.advance(seconds(100));
  EXPECT_EQ(listed(), 1U);
}

TEST_F(ControlPlaneHealth, TakesAnotherLeaseAtOnce) {
  PublicationRequest request = publication();
  request.check.type = HealthCheck::Type::kNone;
  request.lease = std::chrono::hours(1);
  publish(request);
  request.lease = seconds(4);
  publish(request);
  executor_.advance(seconds(4));
  EXPECT_EQ(listed(), 0U);
}

TEST_F(ControlPlaneHealth, SuspendsAPublicationAndResumesItSubjectToItsHealth) {
  publish(publication());
  pass();
  std::optional<VerbState> state;
  const auto remember = [&state](const Result<VerbOutcome>& outcome) { state = outcome->state; };
  plane_->suspend(publication().service, 0, kWait, remember);
  executor_.run();
  EXPECT_EQ(state, VerbState::kUnregistered);
  EXPECT_EQ(listed(), 0U);
  EXPECT_TRUE(status().suspended);
  EXPECT_THAT(status().reason, HasSubstr("POST /stopping"));
  EXPECT_FALSE(sink_.local_services.at(0).leaving) << "the registry first";
  plane_->tell_consumers_to_leave();
  executor_.run();
  EXPECT_TRUE(sink_.local_services.at(0).leaving);
  pass();
  EXPECT_EQ(listed(), 0U) << "healthy, but it is about to stop";

  go_down();
  state.reset();
  plane_->resume(publication().service, 0, kWait, remember);
  executor_.run();
  EXPECT_EQ(state, std::nullopt) << "it is down";
  EXPECT_FALSE(sink_.local_services.at(0).leaving);
  pass();
  EXPECT_EQ(state, VerbState::kRegistered);
  EXPECT_EQ(listed(), 1U);
}

TEST_F(ControlPlaneHealth, TakesPublishingAgainForTheEndOfAStop) {
  publish(publication());
  pass();
  plane_->suspend(publication().service, 0, kWait, [](const Result<VerbOutcome>&) {});
  executor_.run();
  publish(publication());
  EXPECT_EQ(listed(), 1U);
}

TEST_F(ControlPlaneHealth, DoesNotHoldAnAnnouncedRestartAgainstAProvider) {
  publish(publication());
  pass();
  for (int i = 0; i < 5; ++i) {
    plane_->suspend(publication().service, 0, kWait, [](const Result<VerbOutcome>&) {});
    executor_.run();
    go_down();
    publish(publication());
    pass();
    EXPECT_EQ(listed(), 1U) << i;
  }
}

TEST_F(ControlPlaneHealth, FindsNothingToSuspendWhereNothingIsPublished) {
  std::optional<ErrorCode> code;
  const auto remember = [&code](const Result<VerbOutcome>& outcome) {
    code = outcome.error().code;
  };
  plane_->suspend({kDemo, "", ""}, 0, kWait, remember);
  EXPECT_EQ(code, ErrorCode::kNotFound);
  code.reset();
  plane_->resume({kDemo, "", ""}, 0, kWait, remember);
  EXPECT_EQ(code, ErrorCode::kNotFound);
}

TEST_F(ControlPlaneHealth, CountsChecksAndChanges) {
  publish(publication());
  pass();
  go_down();
  pass();
  const HealthCounts counts = plane_->health_counts();
  EXPECT_EQ(counts.passed, 2U);
  EXPECT_EQ(counts.failed, 3U);
  EXPECT_EQ(counts.withdrawals, 1U);
  EXPECT_EQ(counts.registrations, 2U);
}

TEST_F(ControlPlaneHealth, KeepsWhatWasRegisteredOverARestartUntilItsChecksFail) {
  publish(publication());
  pass();
  const std::string url = status().url;
  start(plane_->state());
  EXPECT_EQ(listed(), 1U);
  EXPECT_EQ(status().url, url);
  EXPECT_EQ(status().health, "up");
  EXPECT_THAT(watched_, SizeIs(1));
  go_down();
  EXPECT_EQ(listed(), 0U);
  EXPECT_EQ(status().health, "down");
}

TEST_F(ControlPlaneHealth, RegistersWhatWasDownBeforeARestartOnlyWhenItPassesItsChecks) {
  publish(publication());
  pass();
  go_down();
  start(plane_->state());
  EXPECT_EQ(listed(), 0U);
  EXPECT_EQ(status().health, "starting");
  pass();
  EXPECT_EQ(listed(), 1U);
}

TEST_F(ControlPlaneHealth, RemembersOverARestartThatAnApplicationIsStopping) {
  publish(publication());
  pass();
  plane_->suspend(publication().service, 20880, kWait, [](const Result<VerbOutcome>&) {});
  executor_.run();
  start(plane_->state());
  pass();
  EXPECT_EQ(listed(), 0U);
  EXPECT_TRUE(status().suspended);
  publish(publication());
  EXPECT_EQ(listed(), 1U);
}

TEST_F(ControlPlaneHealth, BeginsALeaseAnewAfterARestart) {
  PublicationRequest request = publication();
  request.lease = seconds(20);
  publish(request);
  pass();
  start(plane_->state());
  executor_.advance(seconds(19));
  EXPECT_EQ(listed(), 1U);
  executor_.advance(seconds(6));
  EXPECT_EQ(listed(), 0U);
  EXPECT_THAT(plane_->state().publications, IsEmpty());
}

}  // namespace
}  // namespace skiff::registry
