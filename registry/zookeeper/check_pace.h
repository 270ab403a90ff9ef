#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>

#include "registry/alive.h"
#include "registry/executor.h"
#include "registry/limits.h"

namespace skiff::registry {

// How many of a number of things are to be checked now, so that each is checked once an interval,
// evenly spread over it, and never more than kMaxChecksPerSecond: where that is too few, a round
// takes longer than the interval.
class CheckPace {
 public:
  // `interval` zero: nothing is ever checked.
  explicit CheckPace(std::chrono::milliseconds interval)
      : interval_(interval), random_(std::random_device{}()), credit_(chance()) {}

  bool is_on() const { return interval_ > std::chrono::milliseconds::zero(); }

  // Until the next turn: about a second, at random, since many agents check the same registry.
  std::chrono::milliseconds pause() {
    constexpr std::chrono::milliseconds kTurn{1'000};
    const double turn = static_cast<double>(std::min(kTurn, interval_ / 2).count());
    return std::chrono::milliseconds(static_cast<std::int64_t>(turn * (0.5 + chance())) + 1);
  }

  // How many of `items` are due `passed` after the last turn. Fractions are kept for the next one.
  std::size_t due(std::size_t items, std::chrono::milliseconds passed) {
    const double seconds = std::chrono::duration<double>(passed).count();
    const double share = std::chrono::duration<double>(passed) / interval_;
    const double most = std::max(static_cast<double>(kMaxChecksPerSecond) * seconds, 1.0);
    credit_ = std::min({credit_ + static_cast<double>(items) * share, most,
                        static_cast<double>(std::max<std::size_t>(items, 1))});
    const auto due = std::min(static_cast<std::size_t>(credit_), items);
    credit_ -= static_cast<double>(due);
    return due;
  }

 private:
  // From 0 to 1.
  double chance() { return std::uniform_real_distribution<double>(0, 1)(random_); }

  const std::chrono::milliseconds interval_;
  std::minstd_rand random_;
  double credit_;
};

// Calls check(count) turn after turn where checks are on: so many of `entries` are due. All but
// `check` belong to the object that `alive` guards.
template <typename Map, typename Check>
void check_in_turns(CheckPace& pace, const Map& entries, Executor& executor, const Alive& alive,
                    Check check) {
  if (!pace.is_on()) return;
  const std::chrono::milliseconds pause = pace.pause();
  executor.post_after(pause, alive.guard([&pace, &entries, &executor, &alive, check, pause] {
    check(pace.due(entries.size(), pause));
    check_in_turns(pace, entries, executor, alive, check);
  }));
}

// The entry behind `last`, which becomes it; the first one behind the end. `entries` is not empty.
template <typename Map>
typename Map::iterator next_in_turn(Map& entries, std::string& last) {
  auto next = entries.upper_bound(last);
  if (next == entries.end()) next = entries.begin();
  last = next->first;
  return next;
}

}  // namespace skiff::registry
