#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <random>

#include "registry/alive.h"
#include "registry/executor.h"

namespace skiff::registry {

// The order and the pace in which nodes are written, so that many agents that have much to write at
// one moment, since all were restarted or all lost their sessions, do not hurt the ensemble that
// they need: kWriteBurst at once, kWritesPerSecond from then on, in turns of about 20 ms at random.
// Whoever writes little never waits. Lives on the control thread.
class WriteQueue {
 public:
  // Writes a node, or returns false where there is nothing to write: then its turn is free for the
  // next one.
  using Write = std::function<bool()>;
  // Calls depend on providers; consumers are there to be looked at, and other nodes can wait, too.
  enum class Rank { kProvider, kConsumer };

  // `executor` must outlive it.
  explicit WriteQueue(Executor& executor);

  // Calls `write` when its turn comes, which may be now. Providers come first, else who came first.
  void add(Rank rank, Write write);
  // Writes nothing for a while: a random part of kSpreadPerNode for each of `nodes`, or of
  // kLongestSpread. For nodes that had to go together with those of other agents.
  void spread(std::size_t nodes);
  // How many wait.
  std::size_t size() const { return providers_.size() + consumers_.size(); }

 private:
  using Time = std::chrono::steady_clock::time_point;

  void write_those_due();
  void refill();
  Write take_first();
  std::chrono::milliseconds random_up_to(std::chrono::milliseconds longest);

  Executor& executor_;
  Alive alive_;
  std::minstd_rand random_;
  std::deque<Write> providers_;
  std::deque<Write> consumers_;
  double allowed_;  // writes that may begin now
  Time refilled_at_;
  Time held_until_;
  bool is_turn_posted_ = false;
};

}  // namespace skiff::registry
