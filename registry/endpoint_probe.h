#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "registry/executor.h"
#include "registry/limits.h"

namespace skiff::registry {

enum class ProbeResult {
  kAnswers,  // it accepts connections and answers a Dubbo heartbeat
  kGone,     // it refuses connections, or speaks another protocol: somebody else has the port
  kSilent,   // no connection, or no answer, in time
  kUnknown   // this machine could not even try
};

struct ProbeReport {
  ProbeResult result = ProbeResult::kUnknown;
  std::set<std::string> down = {};  // of the services that were asked for; where it answers
};

// Asks whether a provider lives, whatever the registry says. Lives on the control thread.
class ProviderProbe {
 public:
  using Callback = std::function<void(const ProbeReport&)>;

  virtual ~ProviderProbe() = default;
  // `address` is host:port or [host]:port, numeric. `done` runs on the control thread, once, never
  // inside this call; not at all where the probe or the executor ends before. `services`, in
  // Dubbo's spelling: where the address is an agent's, those that it is asked for
  // (down_question.h).
  virtual void probe(const std::string& address, const std::set<std::string>& services,
                     Callback done) = 0;
};

// Opens a connection, sends a heartbeat, waits for any Dubbo frame, closes; where services are
// asked for, it waits for the answer to that. All sockets are on one
// thread of its own, which starts with the first probe. How many are under way is up to the caller.
class EndpointProbe final : public ProviderProbe {
 public:
  // `executor` must outlive it. `limit` is what one probe may take.
  explicit EndpointProbe(Executor& executor, std::chrono::milliseconds limit = kProbeTime);
  ~EndpointProbe() override;

  EndpointProbe(const EndpointProbe&) = delete;
  EndpointProbe& operator=(const EndpointProbe&) = delete;

  void probe(const std::string& address, const std::set<std::string>& services,
             Callback done) override;

 private:
  class Attempt;
  using Attempts = std::vector<std::unique_ptr<Attempt>>;

  void run();
  // Adds what was asked for to `attempts`; false: the thread is to end.
  bool take_asked(Attempts& attempts);
  // Waits until a socket is ready, a time is over, or somebody wakes the thread.
  void wait(const Attempts& attempts) const;
  void step(Attempts& attempts);

  Executor& executor_;
  const std::chrono::milliseconds limit_;
  const int wake_up_;  // an eventfd; -1 where there is none to be had
  std::mutex mutex_;
  Attempts asked_;         // guarded by mutex_
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace skiff::registry
