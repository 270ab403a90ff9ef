#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "agent/state_file.h"
#include "dubbo/result.h"
#include "registry/alive.h"
#include "registry/executor.h"

namespace skiff::agent {

// How writing a file went so far.
struct WriteReport {
  std::uint64_t writes = 0;
  std::uint64_t failures = 0;
  std::string problem;  // why the latest changes are not stored; empty where they are, or will be
};

// Keeps a state file up to date: many changes make one write, and one write is under way at a time,
// on a thread of its own. A write that fails is tried again. Lives on the control thread.
class PacedWriter {
 public:
  using Clock = std::chrono::steady_clock;

  // The shortest pause between two writes, where somebody waits for the second.
  static constexpr std::chrono::milliseconds kUrgentPause{10};
  // The longest that somebody waits: a disk that hangs must not hold up more than disks are for.
  static constexpr std::chrono::milliseconds kPatience{1'000};
  static constexpr std::chrono::milliseconds kRetryPause{5'000};

  // `control` and `disk` must outlive it. `snapshot` is called on the control thread; what it
  // returns makes the text on `disk`. `pace` is the pause after a change that nobody waits for; it
  // grows where writing takes long, so that the file is written for a twentieth of the time at
  // most.
  PacedWriter(std::string path, std::chrono::milliseconds pace, registry::Executor& control,
              registry::Executor& disk, std::function<StateText()> snapshot)
      : path_(std::move(path)),
        pace_(pace),
        control_(control),
        disk_(disk),
        snapshot_(std::move(snapshot)) {}

  void on_changed();
  // Calls `done` when all changes so far are stored, or could not be, or after kPatience.
  void when_stored(std::function<void()> done);
  const WriteReport& report() const { return report_; }

 private:
  struct Waiter {
    std::uint64_t change;
    std::function<void()> done;
  };

  bool is_settled() const { return settled_ == changes_; }
  // At `when` or earlier.
  void write_by(Clock::time_point when);
  void write();
  void on_written(std::uint64_t change, Clock::duration time, const Result<void>& result);
  void note(const std::string& problem);
  void give_up(std::uint64_t change);
  void release(std::uint64_t up_to);

  const std::string path_;
  const std::chrono::milliseconds pace_;
  registry::Executor& control_;
  registry::Executor& disk_;
  const std::function<StateText()> snapshot_;
  registry::Alive alive_;

  std::uint64_t changes_ = 0;  // numbered
  std::uint64_t settled_ = 0;  // the last one that was tried to be written
  bool is_writing_ = false;
  bool is_stalled_ = false;  // a write takes longer than kPatience
  Clock::time_point next_write_ = Clock::time_point::max();
  Clock::time_point earliest_urgent_;
  Clock::time_point earliest_;
  std::vector<Waiter> waiters_;  // in the order of their changes
  WriteReport report_;
};

}  // namespace skiff::agent
