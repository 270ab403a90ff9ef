// A machine that is taken out of service, and comes back.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "registry/control_plane.h"
#include "registry/limits.h"
#include "registry/saved_state.h"
#include "support/manual_executor.h"
#include "support/manual_store.h"
#include "support/recording_sink.h"

namespace skiff::registry {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::chrono::milliseconds kWait{3000};
const std::string kDemo = "com.example.DemoService";
const std::string kOther = "com.example.Other";
const std::string kNowhere = "zookeeper://127.0.0.1:1";

class Drain : public testing::Test {
 protected:
  Drain() { restart({}); }

  // A process with what an earlier one has left.
  void restart(const SavedState& state, const std::vector<std::string>& registries = {}) {
    plane_.reset();
    sink_ = RecordingSink();
    config_.registries = registries;
    auto created = ControlPlane::create(config_, executor_, sink_, &store_);
    ASSERT_TRUE(created) << created.error().message;
    plane_ = std::move(*created);
    plane_->restore(state, {}, {});
    plane_->start();
    executor_.run();
    for (const std::string& interface : {kDemo, kOther}) {
      SubscriptionRequest request;
      request.service.interface = interface;
      plane_->subscribe(request, kWait, [](const Result<VerbOutcome>&) {});
    }
    executor_.run();
  }

  static PublicationRequest publication(const std::string& interface) {
    PublicationRequest request;
    request.service.interface = interface;
    request.check.type = HealthCheck::Type::kNone;
    return request;
  }
  void publish(const std::string& interface) {
    plane_->publish(publication(interface), kWait, remember());
    executor_.run();
  }
  void drain() {
    plane_->drain(kWait, remember());
    executor_.run();
  }
  void undrain() {
    plane_->undrain(kWait, remember());
    executor_.run();
  }
  VerbCallback remember() {
    answer_.reset();
    return [this](Result<VerbOutcome> outcome) { answer_ = std::move(outcome); };
  }
  // Of the last verb; empty where it has none yet.
  std::optional<VerbState> state() const {
    return answer_ && *answer_ ? std::optional((*answer_)->state) : std::nullopt;
  }

  // After a quiet time: a list changes once in a pause at most.
  std::size_t listed(const std::string& interface) {
    executor_.advance(kRebuildPause);
    return sink_.services[interface].size();
  }
  PublicationStatus status() { return plane_->publications().at(0); }

  ControlPlaneConfig config_{.registries = {}, .advertise = "10.0.0.5"};
  ManualExecutor executor_;
  RecordingSink sink_;
  ManualStore store_;
  std::unique_ptr<ControlPlane> plane_;
  std::optional<Result<VerbOutcome>> answer_;
};

TEST_F(Drain, WithdrawsEverythingAndUndrainRegistersItAgain) {
  publish(kDemo);
  publish(kOther);
  drain();
  EXPECT_EQ(state(), VerbState::kUnregistered);
  EXPECT_TRUE(plane_->is_drained());
  EXPECT_EQ(listed(kDemo), 0U);
  EXPECT_EQ(listed(kOther), 0U);
  EXPECT_TRUE(status().drained);
  EXPECT_FALSE(status().registered);
  EXPECT_THAT(status().reason, HasSubstr("drained"));

  undrain();
  EXPECT_EQ(state(), VerbState::kRegistered);
  EXPECT_FALSE(plane_->is_drained());
  EXPECT_EQ(listed(kDemo), 1U);
  EXPECT_EQ(listed(kOther), 1U);
  EXPECT_FALSE(status().drained);
}

TEST_F(Drain, IsIdempotentAndSoIsUndrain) {
  publish(kDemo);
  for (int i = 0; i < 2; ++i) {
    drain();
    EXPECT_EQ(state(), VerbState::kUnregistered);
  }
  for (int i = 0; i < 2; ++i) {
    undrain();
    EXPECT_EQ(state(), VerbState::kRegistered);
  }
  EXPECT_EQ(listed(kDemo), 1U);
}

TEST_F(Drain, OfAnAgentThatPublishesNothingIsCompleteAtOnce) {
  drain();
  EXPECT_EQ(state(), VerbState::kUnregistered);
  EXPECT_THAT(plane_->withdrawals(), IsEmpty());
  undrain();
  EXPECT_EQ(state(), VerbState::kRegistered);
}

TEST_F(Drain, WithdrawsNothingBeforeItIsStored) {
  publish(kDemo);
  store_.holds = true;
  drain();
  EXPECT_EQ(state(), std::nullopt);
  EXPECT_EQ(listed(kDemo), 1U);
  EXPECT_TRUE(plane_->state().drained) << "what is to be stored";
  store_.release();
  executor_.run();
  EXPECT_EQ(state(), VerbState::kUnregistered);
  EXPECT_EQ(listed(kDemo), 0U);
}

TEST_F(Drain, ThatIsTakenBackBeforeItWasStoredWithdrawsNothing) {
  publish(kDemo);
  store_.holds = true;
  drain();
  plane_->undrain(kWait, [](const Result<VerbOutcome>&) {});
  store_.release();
  executor_.run();
  EXPECT_EQ(listed(kDemo), 1U);
  executor_.advance(kWait);
  EXPECT_EQ(state(), VerbState::kPending);
  EXPECT_THAT((*answer_)->reason, HasSubstr("POST /undrain"));
}

TEST_F(Drain, KeepsOutWhatIsPublishedMeanwhileAndRemembersIt) {
  drain();
  plane_->publish(publication(kDemo), kWait, remember());
  executor_.advance(kWait);
  EXPECT_EQ(state(), VerbState::kPending);
  EXPECT_THAT((*answer_)->reason, HasSubstr("drained"));
  EXPECT_EQ(listed(kDemo), 0U);
  EXPECT_TRUE(sink_.local_services.at(0).leaving);
  EXPECT_THAT(plane_->state().publications, SizeIs(1));
  undrain();
  EXPECT_EQ(listed(kDemo), 1U);
  EXPECT_FALSE(sink_.local_services.at(0).leaving);
}

TEST_F(Drain, TellsConsumersOnceTheRegistriesWereTold) {
  publish(kDemo);
  drain();
  EXPECT_FALSE(sink_.local_services.at(0).leaving);
  plane_->tell_consumers_to_leave();
  executor_.run();
  EXPECT_TRUE(sink_.local_services.at(0).leaving);
  publish(kDemo);
  EXPECT_TRUE(sink_.local_services.at(0).leaving) << "an application says again that it is there";
  undrain();
  EXPECT_FALSE(sink_.local_services.at(0).leaving);
}

TEST_F(Drain, LeavesWhatAnApplicationSaidOfItsStopAsItIs) {
  publish(kDemo);
  publish(kOther);
  plane_->suspend({kDemo, "", ""}, 0, kWait, [](const Result<VerbOutcome>&) {});
  drain();
  undrain();
  EXPECT_EQ(state(), VerbState::kRegistered) << "nobody waits for what is suspended";
  EXPECT_EQ(listed(kDemo), 0U);
  EXPECT_EQ(listed(kOther), 1U);
  drain();
  plane_->resume({kDemo, "", ""}, 0, kWait, [](const Result<VerbOutcome>&) {});
  EXPECT_EQ(listed(kDemo), 0U);
  undrain();
  EXPECT_EQ(listed(kDemo), 1U);
}

TEST_F(Drain, OutlivesTheProcess) {
  publish(kDemo);
  drain();
  restart(plane_->state());
  EXPECT_TRUE(plane_->is_drained());
  EXPECT_EQ(listed(kDemo), 0U);
  EXPECT_THAT(status().reason, HasSubstr("drained"));
  EXPECT_TRUE(sink_.local_services.at(0).leaving) << "consumers that still come are to go";
  undrain();
  EXPECT_EQ(listed(kDemo), 1U);
}

TEST_F(Drain, OutlivesAProcessThatEndedBeforeAnythingWasWithdrawn) {
  publish(kDemo);
  store_.holds = true;
  drain();
  const SavedState state = plane_->state();
  ASSERT_THAT(state.publications.at(0).written, SizeIs(1));
  store_ = ManualStore();
  restart(state);
  EXPECT_EQ(listed(kDemo), 0U);
  EXPECT_THAT(plane_->state().publications.at(0).written, IsEmpty());
}

// Its session may still hold the node.
TEST_F(Drain, IsPendingWhileARegistryIsAwayAndSaysWhatMayBeThere) {
  restart({}, {kNowhere});
  publish(kDemo);
  executor_.advance(kRulesWait);  // a registry that is away says nothing of rules
  restart(plane_->state(), {kNowhere});
  drain();
  executor_.advance(kWait);
  EXPECT_EQ(state(), VerbState::kPending);
  EXPECT_THAT((*answer_)->reason, HasSubstr("127.0.0.1:1"));
  ASSERT_THAT(plane_->withdrawals(), SizeIs(1));
  EXPECT_EQ(plane_->withdrawals().front().service.interface, kDemo);
  EXPECT_EQ(plane_->withdrawals().front().port, 20880);
  EXPECT_THAT(plane_->withdrawals().front().reason, HasSubstr("127.0.0.1:1"));

  const SavedState state = plane_->state();
  EXPECT_THAT(state.leaving, SizeIs(1));
  restart(state, {kNowhere});
  EXPECT_EQ(plane_->state().leaving, state.leaving) << "what is leaving goes on leaving";
  // Also what is unpublished meanwhile is told of until it is gone.
  plane_->unpublish({kDemo, "", ""}, 0, kWait, [](const Result<VerbOutcome>&) {});
  ASSERT_THAT(plane_->withdrawals(), SizeIs(1));
  EXPECT_THAT(plane_->withdrawals().front().reason, HasSubstr("127.0.0.1:1"));
}

TEST_F(Drain, IsRefusedWhereTheAgentStops) {
  plane_->withdraw_all(kWait, [] {});
  drain();
  ASSERT_TRUE(answer_);
  EXPECT_EQ(answer_->error().code, ErrorCode::kUnavailable);
  undrain();
  EXPECT_EQ(answer_->error().code, ErrorCode::kUnavailable);
}

TEST_F(Drain, StaysOverAnOrderlyEnd) {
  publish(kDemo);
  drain();
  plane_->withdraw_all(kWait, [] {});
  executor_.run();
  EXPECT_TRUE(plane_->state().drained);
}

}  // namespace
}  // namespace skiff::registry
