#include "forwarder/worker.h"

#include <pthread.h>
#include <spdlog/spdlog.h>

#include <random>
#include <utility>

#include "forwarder/limits.h"
#include "forwarder/scheduling.h"

namespace skiff::forwarder {
namespace {

std::uint64_t random_seed() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

}  // namespace

Result<std::unique_ptr<Worker>> Worker::create(const ForwarderConfig& config,
                                               ForwarderObserver& observer, WorkerGroup& group,
                                               std::size_t index, CarriedListeners listeners) {
  auto loop = EventLoop::create();
  if (!loop) return tl::unexpected(loop.error());
  return std::unique_ptr<Worker>(
      new Worker(config, observer, group, index, std::move(*loop), std::move(listeners)));
}

Worker::Worker(const ForwarderConfig& config, ForwarderObserver& observer, WorkerGroup& group,
               std::size_t index, std::unique_ptr<EventLoop> loop, CarriedListeners listeners)
    : group_(group),
      index_(index),
      loop_(std::move(loop)),
      context_(
          config, observer, *loop_, group.metric_interfaces, random_seed(),
          config.access_log_rings == nullptr ? nullptr : (*config.access_log_rings)[index].get()),
      outbound_(context_),
      inbound_(context_),
      drain_timer_([](void* self) { static_cast<Worker*>(self)->check_drained(); }, this) {
  for (Fd& fd : listeners.outbound) {
    outbound_listeners_.push_back(std::make_unique<Listener>(
        context_, std::move(fd), config.outbound.local_only,
        [this](Fd socket) { place(Port::kOutbound, std::move(socket)); }));
  }
  for (Fd& fd : listeners.inbound) {
    inbound_listeners_.push_back(std::make_unique<Listener>(
        context_, std::move(fd), config.inbound.local_only,
        [this](Fd socket) { place(Port::kInbound, std::move(socket)); }));
  }
}

Worker::~Worker() { stop(); }

void Worker::stop() {
  if (!thread_.joinable()) return;
  post([](Worker& worker) { worker.stopping_ = true; });
  thread_.join();
}

WorkerGroup::~WorkerGroup() {
  for (const auto& worker : workers) worker->stop();
}

void Worker::run() {
  thread_ = std::thread([this] { loop(); });
}

void Worker::post(Task task) {
  {
    const std::lock_guard lock(mailbox_mutex_);
    mailbox_.push_back(std::move(task));
  }
  loop_->wake();
}

void Worker::loop() {
  pthread_setname_np(pthread_self(), "skiff-worker");
  ask_for_short_turns();
  run_tasks();  // of before the thread
  while (!stopping_) {
    loop_->turn([this] {
      if (loop_->take_wakeup()) run_tasks();
    });
    outbound_.end_turn();
    context_.closed.clear();
  }
}

void Worker::run_tasks() {
  std::vector<Task> tasks;
  {
    const std::lock_guard lock(mailbox_mutex_);
    tasks.swap(mailbox_);
  }
  for (Task& task : tasks) task(*this);
}

// --- connections

void Worker::place(Port port, Fd socket) {
  const bool is_outbound = port == Port::kOutbound;
  auto [worker, ticket] = is_outbound ? group_.outbound_connections.place(index_)
                                      : group_.inbound_connections.place(index_);
  AcceptedSocket accepted{std::move(socket), std::move(ticket)};
  if (worker == index_) return take(port, std::move(accepted));
  context_.counters.add(Counter::kHandedOver);
  // Shared only since a task must be copyable.
  const auto handed_over = std::make_shared<AcceptedSocket>(std::move(accepted));
  group_.workers[worker]->post([port, handed_over](Worker& w) {
    // What it was given as its drain began comes too late, as for a listener that is closed.
    if (!w.is_draining()) w.take(port, std::move(*handed_over));
  });
}

void Worker::take(Port port, AcceptedSocket socket) {
  if (port == Port::kOutbound) {
    outbound_.accept(std::move(socket));
  } else {
    inbound_.accept(std::move(socket));
  }
}

// --- from one process to the next

void Worker::listen_or_log() {
  for_each_listener([](Listener& listener) {
    if (const Result<void> started = listener.start(); !started) {
      spdlog::error("cannot begin to accept connections: {}", started.error().message);
    }
  });
}

void Worker::pause_listening() {
  for_each_listener([](Listener& listener) { listener.pause(); });
}

void Worker::duplicate_listeners(CarriedListeners& listeners) {
  for (const auto& listener : outbound_listeners_) {
    listeners.outbound.push_back(listener->duplicate());
  }
  for (const auto& listener : inbound_listeners_) {
    listeners.inbound.push_back(listener->duplicate());
  }
}

Result<HandedOver> Worker::hand_over_some(const Forwarder::GiveConnections& give) {
  CarriedConnections some;
  some.stopped_at = std::chrono::steady_clock::now();
  outbound_.carry(some.consumers, limits::kHandedOverAtOnce);
  inbound_.carry(some.inbound, limits::kHandedOverAtOnce - some.consumers.size());
  const HandedOver counts{.consumers = some.consumers.size(), .inbound = some.inbound.size()};
  if (counts.consumers + counts.inbound == 0) return counts;
  if (auto given = give(std::move(some)); !given) {
    outbound_.carry_back();
    inbound_.carry_back();
    return tl::unexpected<Error>(std::move(given.error()));
  }
  outbound_.leave_carried();
  inbound_.leave_carried();
  return counts;
}

void Worker::leave_to_successor() {
  for_each_listener([](Listener& listener) { listener.leave_to_successor(); });
  outbound_.leave_to_successor();
  inbound_.leave_to_successor();
}

void Worker::adopt(CarriedConsumer consumer, ConnectionTicket ticket) {
  outbound_.adopt(std::move(consumer), std::move(ticket));
}

void Worker::adopt(CarriedInbound inbound, ConnectionTicket ticket) {
  inbound_.adopt(std::move(inbound), std::move(ticket));
}

// --- the end

void Worker::drain(std::function<void()> quiet) {
  on_quiet_ = std::move(quiet);
  for_each_listener([](Listener& listener) { listener.stop(); });
  outbound_.drain();
  inbound_.drain();
  check_drained();
}

void Worker::check_drained() {
  inbound_.finish_quiet();
  if (outbound_.is_quiet() && inbound_.is_quiet()) {
    on_quiet_();
  } else {
    loop_->arm(drain_timer_, limits::kDrainPollInterval);
  }
}

WorkerSnapshot Worker::snapshot() {
  WorkerSnapshot taken;
  taken.counters = context_.counters;
  taken.gauges.resize(static_cast<std::size_t>(Gauge::kCount));
  const auto set = [&](Gauge gauge, std::uint64_t value) {
    taken.gauges[static_cast<std::size_t>(gauge)] = value;
  };
  set(Gauge::kOutboundOpen, outbound_.consumers());
  set(Gauge::kInboundOpen, inbound_.connections());
  set(Gauge::kOutboundOpenMost, outbound_.consumers());
  set(Gauge::kInboundOpenMost, inbound_.connections());
  set(Gauge::kUpstreamOpen, outbound_.upstreams().open_connections());
  set(Gauge::kInFlight, outbound_.in_flight());
  set(Gauge::kInboundInFlight, inbound_.in_flight());
  set(Gauge::kKeptBytes, outbound_.kept_bytes());
  set(Gauge::kHeldNow, outbound_.held());
  set(Gauge::kWaitingNow, outbound_.waiting());
  set(Gauge::kFailbackNow, outbound_.failback_waiting());
  set(Gauge::kDelayedNow, outbound_.delayed());
  set(Gauge::kFilteredNow, outbound_.filtered());
  set(Gauge::kRoutes, outbound_.routes().size());
  set(Gauge::kBufferBytes, loop_->buffers().bytes());
  set(Gauge::kBufferBytesInUse, loop_->buffers().bytes_in_use());
  return taken;
}

bool Worker::describe_endpoints(EndpointCursor& cursor,
                                std::map<std::string, std::string>& described) {
  return outbound_.upstreams().visit_some(
      cursor, limits::kEndpointsPerLookMax, [&](const Endpoint& endpoint) {
        described.insert_or_assign(endpoint.address, endpoint.describe());
      });
}

}  // namespace skiff::forwarder
