#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "registry/application/metadata_caller.h"
#include "registry/executor.h"
#include "registry/limits.h"

namespace skiff::registry {

// Calls MetadataServices, a connection for each call, kMaxMetadataCallsUnderWay at a time. Sockets
// and what comes from them are on one thread of its own, which starts with the first call. An
// answer over kMaxMetadataBytes is not read.
class MetadataClient final : public MetadataCaller {
 public:
  // `executor` must outlive it. `limit` is what one call may take.
  explicit MetadataClient(Executor& executor, std::chrono::milliseconds limit = kMetadataCallTime);
  ~MetadataClient() override;

  MetadataClient(const MetadataClient&) = delete;
  MetadataClient& operator=(const MetadataClient&) = delete;

  void call(MetadataCall call, Callback done) override;

 private:
  class Attempt;
  using Attempts = std::vector<std::unique_ptr<Attempt>>;

  void run();
  // Begins what was asked for, as far as the limit allows; false: the thread is to end.
  bool take_asked(Attempts& attempts);
  // Waits until a socket is ready, a time is over, or somebody wakes the thread.
  void wait(const Attempts& attempts) const;
  void step(Attempts& attempts);

  Executor& executor_;
  const std::chrono::milliseconds limit_;
  const int wake_up_;  // an eventfd; -1 where there is none to be had
  std::mutex mutex_;
  std::deque<std::unique_ptr<Attempt>> asked_;  // guarded by mutex_
  bool stopping_ = false;                       // guarded by mutex_
  std::thread thread_;
};

}  // namespace skiff::registry
