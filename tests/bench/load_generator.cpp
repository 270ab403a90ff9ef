#include "tests/bench/load_generator.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <memory>
#include <numeric>
#include <string>
#include <utility>

#include "tests/bench/load_connection.h"
#include "tests/bench/poller.h"
#include "tests/bench/process_cpu.h"

namespace skiff::bench {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr milliseconds kConnectLimit{10'000};
// Requests that are due and find no connection with room; more mean that the rate is out of reach.
constexpr std::size_t kWaitingMax = 1'000'000;

// The body of the request for each interface.
std::vector<std::string> request_bodies(const LoadOptions& options) {
  if (options.interfaces == 1) return {request_body(options.call)};
  std::vector<std::string> bodies;
  for (unsigned i = 0; i < options.interfaces; ++i) {
    CallTemplate call = options.call;
    call.interface += std::to_string(i);
    bodies.push_back(request_body(call));
  }
  return bodies;
}

class LoadGenerator : public LoadObserver {
 public:
  LoadGenerator(const LoadOptions& options, Poller poller)
      : options_(options), bodies_(request_bodies(options)), poller_(std::move(poller)) {}

  Result<LoadResult> run();

  void on_answer(LoadConnection& connection, dubbo::Status status, TimePoint request_due,
                 TimePoint now) override;
  void on_unknown_id() override { ++result_.unknown_ids; }
  void on_broken(LoadConnection& connection) override;

 private:
  bool is_open_loop() const { return options_.rate > 0; }
  Result<void> connect_all();
  void begin_load();
  Result<void> load_until(TimePoint end);
  Result<void> measure();
  Result<std::map<pid_t, microseconds>> cpu_times() const;
  dubbo::Bytes next_body();
  void send_due_requests(TimePoint now);
  LoadConnection* next_with_room();
  void await_answers();
  std::size_t on_the_way() const;

  const LoadOptions& options_;
  const std::vector<std::string> bodies_;
  std::size_t next_body_ = 0;
  Poller poller_;
  std::vector<std::unique_ptr<LoadConnection>> connections_;
  LoadResult result_;

  bool is_loading_ = false;
  TimePoint measured_from_ = TimePoint::max();
  TimePoint measured_until_ = TimePoint::max();
  bool is_counting_ = false;

  // Open loop.
  TimePoint began_;
  std::uint64_t due_count_ = 0;  // requests that have become due
  std::deque<TimePoint> waiting_;
  std::size_t next_connection_ = 0;
};

Result<LoadResult> LoadGenerator::run() {
  if (const Result<void> connected = connect_all(); !connected)
    return tl::unexpected(connected.error());
  begin_load();
  if (const Result<void> warmed = load_until(Clock::now() + options_.warmup); !warmed)
    return tl::unexpected(warmed.error());
  if (const Result<void> measured = measure(); !measured) return tl::unexpected(measured.error());
  await_answers();
  result_.lost += on_the_way() + waiting_.size();
  return std::move(result_);
}

Result<void> LoadGenerator::connect_all() {
  for (unsigned i = 0; i < options_.connections; ++i) {
    auto connection = std::make_unique<LoadConnection>(i, options_.in_flight, poller_, *this);
    if (const Result<void> begun = connection->connect(options_.target); !begun) return begun;
    connections_.push_back(std::move(connection));
  }
  const TimePoint limit = Clock::now() + kConnectLimit;
  const auto is_decided = [](const auto& connection) {
    return connection->is_connected() || connection->is_broken();
  };
  while (!std::all_of(connections_.begin(), connections_.end(), is_decided) && Clock::now() < limit)
    poller_.turn(limit);
  const auto connected =
      std::count_if(connections_.begin(), connections_.end(), [](const auto& connection) {
        return connection->is_connected() && !connection->is_broken();
      });
  if (connected == static_cast<std::ptrdiff_t>(connections_.size())) return {};
  return fail(ErrorCode::kUnavailable,
              options_.target.to_string() + ": only " + std::to_string(connected) + " of " +
                  std::to_string(connections_.size()) + " connections could be made");
}

void LoadGenerator::begin_load() {
  is_loading_ = true;
  began_ = Clock::now();
  if (is_open_loop()) return;
  for (const auto& connection : connections_) {
    while (connection->has_room()) connection->request(next_body(), Clock::now());
    connection->flush();
  }
}

Result<void> LoadGenerator::load_until(TimePoint end) {
  const bool is_limited = is_counting_ && options_.requests > 0;
  for (;;) {
    const TimePoint now = Clock::now();
    if (now >= end || (is_limited && result_.answers >= options_.requests)) return {};
    if (is_counting_ && options_.stop != nullptr && *options_.stop) return {};
    TimePoint until = end;
    if (is_open_loop()) {
      send_due_requests(now);
      if (waiting_.size() > kWaitingMax) {
        return fail(ErrorCode::kUnavailable,
                    "the rate is out of reach: " + std::to_string(waiting_.size()) +
                        " requests wait to be sent");
      }
      const auto next_due =
          nanoseconds(std::llround(static_cast<double>(due_count_) / options_.rate * 1e9));
      until = std::min(end, began_ + next_due);
    }
    if (result_.broken_connections == connections_.size())
      return fail(ErrorCode::kUnavailable, "every connection was closed by the peer");
    poller_.turn(until);
  }
}

Result<void> LoadGenerator::measure() {
  auto cpu_before = cpu_times();
  if (!cpu_before) return tl::unexpected(cpu_before.error());
  const microseconds own_before = own_cpu_time();
  measured_from_ = Clock::now();
  is_counting_ = true;
  const Result<void> loaded = load_until(measured_from_ + options_.duration);
  is_counting_ = false;
  is_loading_ = false;
  measured_until_ = Clock::now();
  if (!loaded) return loaded;

  const auto cpu_after = cpu_times();
  if (!cpu_after) return tl::unexpected(cpu_after.error());
  for (const auto& [process, before] : *cpu_before)
    result_.cpu[process] = cpu_after->at(process) - before;
  result_.own_cpu = own_cpu_time() - own_before;
  result_.measured = measured_until_ - measured_from_;
  return {};
}

Result<std::map<pid_t, microseconds>> LoadGenerator::cpu_times() const {
  std::map<pid_t, microseconds> times;
  for (const pid_t process : options_.cpu_of) {
    const Result<microseconds> time = cpu_time_of(process);
    if (!time) return tl::unexpected(time.error());
    times[process] = *time;
  }
  return times;
}

dubbo::Bytes LoadGenerator::next_body() {
  const std::string& body = bodies_[next_body_];
  next_body_ = next_body_ + 1 == bodies_.size() ? 0 : next_body_ + 1;
  return dubbo::as_bytes(body);
}

void LoadGenerator::send_due_requests(TimePoint now) {
  const double elapsed = std::chrono::duration<double>(now - began_).count();
  const auto due_by_now = static_cast<std::uint64_t>(elapsed * options_.rate) + 1;
  for (; due_count_ < due_by_now; ++due_count_) {
    const auto offset = std::llround(static_cast<double>(due_count_) / options_.rate * 1e9);
    waiting_.push_back(began_ + nanoseconds(offset));
  }
  while (!waiting_.empty()) {
    LoadConnection* connection = next_with_room();
    if (connection == nullptr) return;
    connection->request(next_body(), waiting_.front());
    waiting_.pop_front();
    connection->flush();
  }
}

LoadConnection* LoadGenerator::next_with_room() {
  for (std::size_t tried = 0; tried < connections_.size(); ++tried) {
    LoadConnection& connection = *connections_[next_connection_];
    next_connection_ = (next_connection_ + 1) % connections_.size();
    if (connection.has_room() && !connection.is_broken()) return &connection;
  }
  return nullptr;
}

void LoadGenerator::on_answer(LoadConnection& connection, dubbo::Status status,
                              TimePoint request_due, TimePoint now) {
  if (status != dubbo::Status::kOk) {
    ++result_.other_statuses[static_cast<unsigned>(status)];
  } else {
    if (is_counting_) ++result_.answers;
    if (request_due >= measured_from_ && request_due < measured_until_) {
      result_.latency.record(static_cast<std::uint64_t>(
          std::max(nanoseconds(now - request_due), nanoseconds(0)).count()));
    }
  }
  if (is_loading_ && !is_open_loop())
    connection.request(next_body(), now);  // sent when all that was read is handled
}

void LoadGenerator::on_broken(LoadConnection& /*connection*/) { ++result_.broken_connections; }

// What is on the way may still come, for as long as a consumer would wait.
void LoadGenerator::await_answers() {
  const TimePoint limit = Clock::now() + options_.call.timeout;
  while (Clock::now() < limit && result_.broken_connections < connections_.size()) {
    if (is_open_loop()) send_due_requests(measured_until_);
    if (on_the_way() == 0 && waiting_.empty()) return;
    poller_.turn(limit);
  }
}

std::size_t LoadGenerator::on_the_way() const {
  return std::accumulate(
      connections_.begin(), connections_.end(), std::size_t{0},
      [](std::size_t sum, const auto& connection) { return sum + connection->on_the_way(); });
}

}  // namespace

std::uint64_t LoadResult::errors() const {
  std::uint64_t sum = unknown_ids + lost + broken_connections;
  for (const auto& [status, count] : other_statuses) sum += count;
  return sum;
}

Result<LoadResult> run_load(const LoadOptions& options) {
  Result<Poller> poller = Poller::create();
  if (!poller) return tl::unexpected(poller.error());
  return LoadGenerator(options, std::move(*poller)).run();
}

}  // namespace skiff::bench
