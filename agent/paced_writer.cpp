#include "agent/paced_writer.h"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace skiff::agent {
namespace {

// Of its own duration, the pause after a write, and at most: a disk that hung for a minute may be
// well again.
constexpr int kPauseFactor = 19;
constexpr std::chrono::seconds kPauseMax{60};

std::chrono::milliseconds rounded_up(PacedWriter::Clock::duration time) {
  return std::chrono::ceil<std::chrono::milliseconds>(
      std::max(time, PacedWriter::Clock::duration::zero()));
}

}  // namespace

void PacedWriter::on_changed() {
  ++changes_;
  write_by(std::max(Clock::now() + pace_, earliest_));
}

void PacedWriter::when_stored(std::function<void()> done) {
  if (is_settled() || is_stalled_) return done();
  waiters_.push_back({changes_, std::move(done)});
  control_.post_after(kPatience, alive_.guard([this, change = changes_] { give_up(change); }));
  write_by(std::max(Clock::now(), earliest_urgent_));
}

void PacedWriter::write_by(Clock::time_point when) {
  // One that is long overdue was lost, since the control thread had too much to do.
  const bool is_scheduled = next_write_ <= when && Clock::now() - next_write_ < kPatience;
  if (is_writing_ || is_scheduled) return;
  next_write_ = when;
  control_.post_after(rounded_up(when - Clock::now()), alive_.guard([this, when] {
    if (next_write_ == when && !is_writing_) write();
  }));
}

void PacedWriter::write() {
  next_write_ = Clock::time_point::max();
  is_writing_ = true;
  auto done =
      alive_.guard([this](std::uint64_t change, Clock::duration time, const Result<void>& result) {
        on_written(change, time, result);
      });
  disk_.post([path = path_, text = snapshot_(), change = changes_, &control = control_,
              done = std::move(done)] {
    const Clock::time_point start = Clock::now();
    const Result<void> result = write_state_file(path, text);
    control.post([done, change, time = Clock::now() - start, result]() mutable {
      done(change, time, result);
    });
  });
}

void PacedWriter::on_written(std::uint64_t change, Clock::duration time,
                             const Result<void>& result) {
  const Clock::time_point now = Clock::now();
  is_writing_ = false;
  is_stalled_ = false;
  ++report_.writes;
  if (!result) ++report_.failures;
  note(result ? "" : result.error().message);
  settled_ = change;
  earliest_urgent_ = now + std::max<Clock::duration>(kUrgentPause, time);
  earliest_ = now + std::clamp<Clock::duration>(time * kPauseFactor, kUrgentPause, kPauseMax);
  release(change);
  if (!waiters_.empty()) {
    write_by(earliest_urgent_);
  } else if (!is_settled()) {
    write_by(std::max(now + pace_, earliest_));
  } else if (!result) {
    write_by(now + kRetryPause);
  }
}

void PacedWriter::note(const std::string& problem) {
  if (problem == report_.problem) return;
  report_.problem = problem;
  if (problem.empty()) {
    spdlog::info("{}: written again", path_);
  } else {
    spdlog::error("{}; a restart would find an older state", problem);
  }
}

void PacedWriter::give_up(std::uint64_t change) {
  if (settled_ >= change) return;
  is_stalled_ = is_writing_;
  if (is_stalled_) {
    note(path_ + ": writing takes longer than " + std::to_string(kPatience.count()) + " ms");
  }
  release(change);
}

void PacedWriter::release(std::uint64_t up_to) {
  const auto end = std::find_if(waiters_.begin(), waiters_.end(),
                                [up_to](const Waiter& waiter) { return waiter.change > up_to; });
  // Taken out first: they may wait again.
  std::vector<Waiter> released(std::make_move_iterator(waiters_.begin()),
                               std::make_move_iterator(end));
  waiters_.erase(waiters_.begin(), end);
  for (Waiter& waiter : released) waiter.done();
}

}  // namespace skiff::agent
