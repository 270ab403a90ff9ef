#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "forwarder/event_loop.h"
#include "forwarder/forwarder.h"
#include "forwarder/inbound/inbound.h"
#include "forwarder/listener.h"
#include "forwarder/outbound/outbound.h"
#include "forwarder/worker_context.h"

namespace skiff::forwarder {

// What one worker reports, at one moment.
struct WorkerSnapshot {
  Counters counters;
  std::vector<std::uint64_t> gauges;  // in the order of Gauge
  std::map<std::string, std::map<std::string, MethodTraffic>> methods;
  std::map<std::string, std::string> endpoints;
};

// A thread with its own event loop, listeners, connections, timers and counters; nothing of it is
// shared. Others talk to it through post() alone.
class Worker {
 public:
  using Task = std::function<void(Worker&)>;

  // The sockets listen already. `config` and `observer` must outlive the worker.
  static Result<std::unique_ptr<Worker>> create(const ForwarderConfig& config,
                                                ForwarderObserver& observer, Fd outbound,
                                                Fd inbound);
  // Stops the thread; connections are closed as they are.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void run();  // starts the thread

  // Runs `task` on the worker's thread, in order with other tasks. From any thread.
  void post(Task task);

  // --- for tasks, on the worker's thread
  Outbound& outbound() { return outbound_; }
  Inbound& inbound() { return inbound_; }
  WorkerSnapshot snapshot();
  // Stops accepting and says READONLY; `quiet` is called when no connection is left.
  void drain(std::function<void()> quiet);

 private:
  Worker(const ForwarderConfig& config, ForwarderObserver& observer,
         std::unique_ptr<EventLoop> loop, Fd outbound, Fd inbound);
  void loop();
  void run_tasks();
  void check_drained();

  std::unique_ptr<EventLoop> loop_;
  WorkerContext context_;
  Outbound outbound_;
  Inbound inbound_;
  Listener outbound_listener_;
  Listener inbound_listener_;
  Timer drain_timer_;
  std::function<void()> on_quiet_;
  bool stopping_ = false;

  std::mutex mailbox_mutex_;
  std::vector<Task> mailbox_;  // guarded by mailbox_mutex_
  std::thread thread_;
};

}  // namespace skiff::forwarder
