#include "registry/verb_waiters.h"

#include <utility>
#include <vector>

#include "registry/limits.h"

namespace skiff::registry {

void VerbWaiters::add(const std::string& subject, std::chrono::milliseconds wait, Probe probe,
                      VerbCallback done) {
  VerbOutcome outcome = probe();
  if (outcome.state != VerbState::kPending || waiters_.size() >= kMaxWaitingVerbs) {
    done(std::move(outcome));
    return;
  }
  const std::uint64_t id = next_id_++;
  waiters_.emplace(subject, Waiter{id, std::move(probe), std::move(done)});
  executor_.post_after(wait, alive_.guard([this, subject, id] { give_up(subject, id); }));
}

void VerbWaiters::check(const std::string& subject) {
  // Taken out first: `done` may add waiters.
  std::vector<std::pair<VerbCallback, VerbOutcome>> settled;
  const auto [begin, end] = waiters_.equal_range(subject);
  for (auto entry = begin; entry != end;) {
    VerbOutcome outcome = entry->second.probe();
    if (outcome.state == VerbState::kPending) {
      ++entry;
    } else {
      settled.emplace_back(std::move(entry->second.done), std::move(outcome));
      entry = waiters_.erase(entry);
    }
  }
  for (auto& [done, outcome] : settled) done(std::move(outcome));
}

void VerbWaiters::give_up(const std::string& subject, std::uint64_t id) {
  const auto [begin, end] = waiters_.equal_range(subject);
  for (auto entry = begin; entry != end; ++entry) {
    if (entry->second.id != id) continue;
    const Waiter waiter = std::move(entry->second);
    waiters_.erase(entry);
    waiter.done(waiter.probe());
    return;
  }
}

}  // namespace skiff::registry
