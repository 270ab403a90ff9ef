#include "registry/zookeeper/write_queue.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "registry/limits.h"

namespace skiff::registry {
namespace {

// The pause between two turns of a queue that is longer than what may be written at once.
constexpr std::chrono::milliseconds kShortestTurn{10};
constexpr std::chrono::milliseconds kTurnJitter{20};

}  // namespace

WriteQueue::WriteQueue(Executor& executor)
    : executor_(executor),
      random_(std::random_device{}()),
      allowed_(static_cast<double>(kWriteBurst)),
      refilled_at_(executor.now()),
      held_until_(refilled_at_) {}

void WriteQueue::add(Rank rank, Write write) {
  (rank == Rank::kProvider ? providers_ : consumers_).push_back(std::move(write));
  write_those_due();
}

void WriteQueue::spread(std::size_t nodes) {
  const std::chrono::milliseconds longest = std::min<std::chrono::milliseconds>(
      kLongestSpread, kSpreadPerNode * static_cast<std::int64_t>(nodes));
  held_until_ = std::max(held_until_, executor_.now() + random_up_to(longest));
}

void WriteQueue::write_those_due() {
  refill();
  const Time now = executor_.now();
  while (size() > 0 && now >= held_until_ && allowed_ >= 1) {
    const Write write = take_first();
    if (write()) --allowed_;
  }
  if (size() == 0 || std::exchange(is_turn_posted_, true)) return;
  const auto held = std::chrono::ceil<std::chrono::milliseconds>(held_until_ - now);
  const auto pause = std::max(held, kShortestTurn + random_up_to(kTurnJitter));
  executor_.post_after(pause, alive_.guard([this] {
    is_turn_posted_ = false;
    write_those_due();
  }));
}

void WriteQueue::refill() {
  const Time now = executor_.now();
  const double seconds = std::chrono::duration<double>(now - refilled_at_).count();
  refilled_at_ = now;
  allowed_ = std::min(allowed_ + seconds * static_cast<double>(kWritesPerSecond),
                      static_cast<double>(kWriteBurst));
}

WriteQueue::Write WriteQueue::take_first() {
  auto& queue = providers_.empty() ? consumers_ : providers_;
  Write write = std::move(queue.front());
  queue.pop_front();
  return write;
}

std::chrono::milliseconds WriteQueue::random_up_to(std::chrono::milliseconds longest) {
  return std::chrono::milliseconds(
      std::uniform_int_distribution<std::chrono::milliseconds::rep>(0, longest.count())(random_));
}

}  // namespace skiff::registry
