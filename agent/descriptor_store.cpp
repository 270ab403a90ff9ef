#include "agent/descriptor_store.h"

#include <fcntl.h>
#include <pthread.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace skiff::agent {
namespace {

using forwarder::Fd;
using forwarder::StreamMark;

void tell(const std::string& message, const std::vector<int>& descriptors = {}) {
  sd_pid_notify_with_fds(0, 0, message.c_str(), descriptors.data(),
                         static_cast<unsigned>(descriptors.size()));
}

void store(const std::string& name, const std::vector<int>& descriptors) {
  if (!descriptors.empty()) tell("FDSTORE=1\nFDNAME=" + name, descriptors);
}

Fd duplicate_of(int fd) { return Fd(fcntl(fd, F_DUPFD_CLOEXEC, 0)); }

// Which of all the marks it is.
std::size_t number_of(const StreamMark& mark, const StreamMarks& marks) {
  return static_cast<std::size_t>(&mark - marks.all().data());
}

}  // namespace

Result<std::unique_ptr<DescriptorStore>> DescriptorStore::open() {
  if (std::getenv("NOTIFY_SOCKET") == nullptr) return nullptr;
  auto marks = StreamMarks::create();
  if (!marks) return tl::unexpected<Error>(std::move(marks.error()));
  return std::unique_ptr<DescriptorStore>(new DescriptorStore(std::move(*marks)));
}

DescriptorStore::DescriptorStore(StreamMarks marks)
    : marks_(std::move(marks)), places_(StreamMarks::kMax) {
  free_.reserve(places_.size());
  for (std::size_t place = places_.size(); place > 0; --place) free_.push_back(place - 1);
}

// Those that were left are told of, so that they outlive an end in order.
DescriptorStore::~DescriptorStore() { stop(); }

void DescriptorStore::remove(const char* name) {
  tell(std::string("FDSTOREREMOVE=1\nFDNAME=") + name);
}

void DescriptorStore::leave_to_successor() {
  {
    const std::lock_guard lock(mutex_);
    is_successors_ = true;
    waiting_.clear();
    for (Place& place : places_) place.left.reset();
  }
  stop();
}

void DescriptorStore::forget_left() {
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < places_.size(); ++i) {
    StreamMark& mark = marks_.all()[i];
    if (mark.connection == 0 || places_[i].fd >= 0) continue;
    mark.connection = 0;
    places_[i].left.reset();
    free_.push_back(i);
  }
}

void DescriptorStore::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void DescriptorStore::begin(std::vector<Listener> listeners) {
  thread_ = std::thread(&DescriptorStore::run, this, std::move(listeners));
}

void DescriptorStore::run(std::vector<Listener> listeners) {
  pthread_setname_np(pthread_self(), "skiff-store");
  // The marks come before the connections, which nobody could judge without them.
  remove(kMarks);
  store(kMarks, {marks_.fd()});
  for (const Listener& listener : listeners) store(listener.name, {listener.fd.get()});
  listeners.clear();  // they would listen for as long as this runs

  std::unique_lock lock(mutex_);
  while (true) {
    const auto now = Clock::now();
    if (std::vector<Fd> due = take_due(now); !due.empty()) {
      lock.unlock();
      std::vector<int> descriptors(due.size());
      std::ranges::transform(due, descriptors.begin(), [](const Fd& fd) { return fd.get(); });
      store(kConsumer, descriptors);
      due.clear();
      lock.lock();
    } else if (is_stopping_) {
      return;
    } else if (waiting_.empty()) {
      changed_.wait(lock);
    } else {
      changed_.wait_until(lock, waiting_.front().due);
    }
  }
}

// Those of which it is time to tell, as far as they are still there. When this ends, these are the
// ones that were left.
std::vector<Fd> DescriptorStore::take_due(Clock::time_point now) {
  std::vector<Fd> due;
  while (!waiting_.empty() && due.size() < kBatchMax &&
         (waiting_.front().due <= now || is_stopping_)) {
    const Waiting next = waiting_.front();
    waiting_.pop_front();
    if (marks_.all()[next.place].connection.load() != next.connection) continue;
    Place& place = places_[next.place];
    place.is_told = true;
    Fd fd = place.fd >= 0 ? duplicate_of(place.fd) : std::move(place.left);
    if (fd.valid()) due.push_back(std::move(fd));
  }
  return due;
}

StreamMark* DescriptorStore::keep(int fd) {
  const std::uint64_t connection = socket_cookie(fd);
  const std::lock_guard lock(mutex_);
  // Places are free sooner than who waits has gone: churn must not make the queue grow.
  if (connection == 0 || free_.empty() || waiting_.size() >= 2 * places_.size()) {
    ++not_kept_;
    return nullptr;
  }
  const std::size_t place = free_.back();
  free_.pop_back();
  StreamMark& mark = marks_.all()[place];
  mark.is_within_frame = false;
  mark.connection = connection;
  places_[place] = {.fd = fd, .is_told = false, .left = {}};
  waiting_.push_back({.place = place, .connection = connection, .due = Clock::now() + kSettleTime});
  if (waiting_.size() == 1) changed_.notify_one();
  return &mark;
}

void DescriptorStore::forget(StreamMark& mark) {
  const std::lock_guard lock(mutex_);
  const std::size_t place = number_of(mark, marks_);
  mark.connection = 0;
  places_[place].fd = -1;
  free_.push_back(place);
}

void DescriptorStore::leave(StreamMark& mark) {
  const std::lock_guard lock(mutex_);
  Place& place = places_[number_of(mark, marks_)];
  if (!place.is_told && !is_successors_) place.left = duplicate_of(place.fd);
  place.fd = -1;
}

DescriptorStore::Counts DescriptorStore::counts() const {
  const std::lock_guard lock(mutex_);
  return {.kept = places_.size() - free_.size(), .not_kept = not_kept_};
}

}  // namespace skiff::agent
