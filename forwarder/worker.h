#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "forwarder/connection_counts.h"
#include "forwarder/event_loop.h"
#include "forwarder/forwarder.h"
#include "forwarder/handover.h"
#include "forwarder/inbound/inbound.h"
#include "forwarder/listener.h"
#include "forwarder/metric_interfaces.h"
#include "forwarder/outbound/outbound.h"
#include "forwarder/worker_context.h"

namespace skiff::forwarder {

// What one worker reports, at one moment.
struct WorkerSnapshot {
  Counters counters;
  std::vector<std::uint64_t> gauges;  // in the order of Gauge
};

struct WorkerGroup;

// A thread with its own event loop, listeners, connections, timers and counters; nothing of it is
// shared. Others talk to it through post() alone.
class Worker {
 public:
  using Task = std::function<void(Worker&)>;

  // The sockets listen already, and nothing is accepted before listen(). `config`, `observer` and
  // `group`, where the worker is to stand at `index`, must outlive it.
  static Result<std::unique_ptr<Worker>> create(const ForwarderConfig& config,
                                                ForwarderObserver& observer, WorkerGroup& group,
                                                std::size_t index, CarriedListeners listeners);
  // Stops the thread; connections are closed as they are.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void run();   // starts the thread
  void stop();  // ends it; tasks that have not run yet never will

  // Runs `task` on the worker's thread, in order with other tasks. From any thread.
  void post(Task task);

  // --- for tasks, on the worker's thread
  Outbound& outbound() { return outbound_; }
  Inbound& inbound() { return inbound_; }
  WorkerSnapshot snapshot();
  // Describes some of the worker's endpoints, from where `cursor` stands; false after the last one.
  bool describe_endpoints(EndpointCursor& cursor, std::map<std::string, std::string>& described);
  // Stops accepting and says READONLY; `quiet` is called when no connection is left.
  void drain(std::function<void()> quiet);
  // Accepts connections, from the first time on or again.
  void listen_or_log();
  void duplicate_listeners(CarriedListeners& listeners);
  // To a successor (Forwarder): stops accepting; gives some connections away, none where there are
  // no more; and leaves it the rest.
  void pause_listening();
  Result<HandedOver> hand_over_some(const Forwarder::GiveConnections& give);
  void leave_to_successor();
  void adopt(CarriedConsumer consumer, ConnectionTicket ticket);
  void adopt(CarriedInbound inbound, ConnectionTicket ticket);

  // --- from any thread
  const TrafficTable& traffic() const { return context_.traffic; }

 private:
  enum class Port { kOutbound, kInbound };

  Worker(const ForwarderConfig& config, ForwarderObserver& observer, WorkerGroup& group,
         std::size_t index, std::unique_ptr<EventLoop> loop, CarriedListeners listeners);
  void loop();
  void run_tasks();
  bool is_draining() const { return on_quiet_ != nullptr; }
  void check_drained();
  template <typename Visit>
  void for_each_listener(Visit visit) {
    for (const auto* listeners : {&outbound_listeners_, &inbound_listeners_}) {
      for (const auto& listener : *listeners) visit(*listener);
    }
  }
  // Keeps a socket that was accepted, or hands it over to the worker that is to have it.
  void place(Port port, Fd socket);
  void take(Port port, AcceptedSocket socket);

  WorkerGroup& group_;
  std::size_t index_;  // in the group
  std::unique_ptr<EventLoop> loop_;
  WorkerContext context_;
  Outbound outbound_;
  Inbound inbound_;
  std::vector<std::unique_ptr<Listener>> outbound_listeners_;
  std::vector<std::unique_ptr<Listener>> inbound_listeners_;
  Timer drain_timer_;
  std::function<void()> on_quiet_;
  bool stopping_ = false;

  std::mutex mailbox_mutex_;
  std::vector<Task> mailbox_;  // guarded by mailbox_mutex_
  std::thread thread_;
};

// The workers of a forwarder, and what they share: how many connections each of them has.
struct WorkerGroup {
  explicit WorkerGroup(std::size_t size) : outbound_connections(size), inbound_connections(size) {}
  // All threads end before the first worker goes: they post to each other.
  ~WorkerGroup();
  WorkerGroup(const WorkerGroup&) = delete;
  WorkerGroup& operator=(const WorkerGroup&) = delete;

  ConnectionCounts outbound_connections;
  ConnectionCounts inbound_connections;
  MetricInterfaces metric_interfaces;
  std::vector<std::unique_ptr<Worker>> workers;  // complete before any of them runs
};

}  // namespace skiff::forwarder
