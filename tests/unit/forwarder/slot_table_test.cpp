#include "forwarder/outbound/slot_table.h"

#include <gtest/gtest.h>

#include "forwarder/outbound/outbound.h"

namespace skiff::forwarder {
namespace {

// A slot table needs an Outbound only to hand it on.
class SlotTableTest : public testing::Test {
 protected:
  struct NoObserver : ForwarderObserver {
    void need_service(const std::string& /*interface*/) override {}
  };

  // Any address will do as the mark of a slot in use: it is never followed.
  static UpstreamConnection* somewhere() {
    static int place = 0;
    return reinterpret_cast<UpstreamConnection*>(&place);
  }
  Slot* take() {
    Slot* slot = table_.take();
    if (slot != nullptr) slot->upstream = somewhere();
    return slot;
  }

  ForwarderConfig config_;
  NoObserver observer_;
  std::unique_ptr<EventLoop> loop_ = std::move(*EventLoop::create());
  MetricInterfaces interfaces_;
  WorkerContext context_{config_, observer_, *loop_, interfaces_, 1};
  Outbound outbound_{context_};
  SlotTable table_{outbound_, [](void*) {}, 3};
};

TEST_F(SlotTableTest, FindsASlotByTheIdOnTheWire) {
  Slot* slot = take();
  EXPECT_EQ(table_.find(slot->wire_id()), slot);
  EXPECT_EQ(table_.find(slot->wire_id() + 1), nullptr);
  EXPECT_EQ(table_.find(SlotTable::one_way_id(0)), nullptr);
  EXPECT_EQ(table_.find(SlotTable::one_way_id(1)), nullptr);
  EXPECT_EQ(table_.find(UINT64_MAX), nullptr);
}

TEST_F(SlotTableTest, DoesNotTakeALateAnswerForTheNextRequest) {
  Slot* slot = take();
  const std::uint64_t late = slot->wire_id();
  table_.give_back(*slot);
  EXPECT_EQ(table_.find(late), nullptr);
  Slot* next = take();
  EXPECT_EQ(next, slot) << "slots are reused";
  EXPECT_EQ(table_.find(late), nullptr);
  EXPECT_EQ(table_.find(next->wire_id()), next);
}

TEST_F(SlotTableTest, RefusesMoreThanItsLimit) {
  std::vector<Slot*> slots{take(), take(), take()};
  EXPECT_EQ(table_.take(), nullptr);
  EXPECT_EQ(table_.in_use(), 3U);
  table_.give_back(*slots[1]);
  EXPECT_NE(take(), nullptr);
}

TEST_F(SlotTableTest, StopsTheClockOfASlotThatIsGivenBack) {
  Slot* slot = take();
  loop_->arm(slot->deadline, std::chrono::milliseconds(1));
  table_.give_back(*slot);
  EXPECT_FALSE(slot->deadline.armed());
}

}  // namespace
}  // namespace skiff::forwarder
