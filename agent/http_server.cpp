#include "agent/http_server.h"

#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

namespace skiff::agent {
namespace {

using forwarder::Fd;
using namespace std::chrono_literals;

constexpr auto kIdleCheckInterval = 1s;
constexpr auto kAcceptPause = 100ms;  // after the process ran out of descriptors
constexpr auto kWarningInterval = 60s;
constexpr auto kLingerTime = 500ms;

// Closing a socket with unread bytes in it resets the connection, and the peer may lose the answer
// that says why: give it a moment to read.
void linger(int fd) {
  shutdown(fd, SHUT_WR);
  const auto end = std::chrono::steady_clock::now() + kLingerTime;
  std::array<char, 16384> ignored;  // NOLINT(cppcoreguidelines-pro-type-member-init): only written
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
    if (left.count() <= 0 || poll(&entry, 1, static_cast<int>(left.count())) <= 0) return;
    if (recv(fd, ignored.data(), ignored.size(), 0) <= 0) return;
  }
}

}  // namespace

Result<std::vector<HttpListener>> HttpServer::listen(const std::vector<ApiAddress>& addresses,
                                                     std::vector<HandedListeners::Api> handed) {
  std::vector<HttpListener> listeners;
  for (const ApiAddress& address : addresses) {
    const auto is_it = [&](const auto& one) { return one.address == address.to_string(); };
    const auto found = std::ranges::find_if(handed, is_it);
    if (found != handed.end()) {
      listeners.emplace_back(address, std::move(found->fd));
      continue;
    }
    auto listener = HttpListener::open(address);
    if (!listener) return tl::unexpected<Error>(std::move(listener.error()));
    listeners.push_back(std::move(*listener));
  }
  return listeners;
}

Result<std::unique_ptr<HttpServer>> HttpServer::start(std::vector<HttpListener> listeners,
                                                      HttpEngine::Application application,
                                                      bool is_paused) {
  Fd wake_up(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake_up.valid()) {
    return fail(ErrorCode::kUnavailable, "the HTTP API: " + forwarder::errno_text(errno));
  }
  return std::unique_ptr<HttpServer>(
      new HttpServer(std::move(listeners), std::move(wake_up), std::move(application), is_paused));
}

HttpServer::HttpServer(std::vector<HttpListener> listeners, Fd wake_up,
                       HttpEngine::Application application, bool is_paused)
    : engine_(std::move(application)),
      listeners_(std::move(listeners)),
      wake_up_(std::move(wake_up)),
      paused_(is_paused),
      watcher_([this] { watch(); }) {}

HttpServer::~HttpServer() {
  close_listeners();
  for (std::thread& thread : pool_) thread.join();
}

std::vector<ApiAddress> HttpServer::addresses() const {
  std::vector<ApiAddress> addresses;
  for (const HttpListener& listener : listeners_) addresses.push_back(listener.address());
  return addresses;
}

void HttpServer::close_listeners() {
  stop_watching();
  for (HttpListener& listener : listeners_) listener.close();
  idle_.clear();
}

void HttpServer::stop_watching() {
  if (!watcher_.joinable()) return;
  engine_.close_connections();
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    // Who still waits for a request stops waiting; answers can be written all the same.
    for (const int fd : serving_) shutdown(fd, SHUT_RD);
  }
  request_waits_.notify_all();
  wake_watcher();
  watcher_.join();
}

std::vector<HttpListener> HttpServer::duplicate_listeners() const {
  std::vector<HttpListener> listeners;
  for (const HttpListener& listener : listeners_) listeners.push_back(listener.duplicate());
  return listeners;
}

bool HttpServer::pause(std::size_t calls, std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  paused_ = true;
  wake_watcher();
  return answered_.wait_for(lock, limit, [&] {
    return watcher_is_paused_ && ready_.empty() && serving_.size() <= calls;
  });
}

void HttpServer::resume() {
  {
    const std::lock_guard lock(mutex_);
    paused_ = false;
  }
  wake_watcher();
}

std::vector<Fd> HttpServer::leave_to_successor() {
  stop_watching();
  take_back();  // what was answered last
  for (HttpListener& listener : listeners_) listener.leave().reset();
  std::vector<Fd> clients;
  for (ConnectionPtr& connection : idle_) {
    if (!connection->stream.has_buffered()) clients.push_back(std::move(connection->fd));
  }
  idle_.clear();
  return clients;
}

void HttpServer::go_on() {
  for (HttpListener& listener : listeners_) listener.own_file();
  resume();
}

void HttpServer::adopt(std::vector<Fd> clients) {
  {
    const std::lock_guard lock(mutex_);
    connections_ += clients.size();
    for (Fd& client : clients) {
      returned_.push_back(std::make_unique<Connection>(std::move(client)));
    }
  }
  wake_watcher();
}

void HttpServer::wake_watcher() const {
  const std::uint64_t one = 1;
  // Only a full counter can fail, and a full counter wakes as well.
  [[maybe_unused]] const ssize_t written = write(wake_up_.get(), &one, sizeof(one));
}

void HttpServer::watch() {
  while (wait_for_events()) take_back();
  const std::lock_guard lock(mutex_);
  connections_ -= idle_.size();
}

bool HttpServer::must_pause() {
  const std::lock_guard lock(mutex_);
  watcher_is_paused_ = paused_;
  answered_.notify_all();
  return paused_;
}

// False when the server stops.
bool HttpServer::wait_for_events() {
  const bool is_paused = must_pause();
  // While it is paused, only who wakes it up: poll() takes no notice of negative numbers.
  std::vector<pollfd> entries;
  entries.push_back({.fd = wake_up_.get(), .events = POLLIN, .revents = 0});
  for (const HttpListener& listener : listeners_) {
    entries.push_back({.fd = is_paused ? -1 : listener.fd(), .events = POLLIN, .revents = 0});
  }
  for (const ConnectionPtr& connection : idle_) {
    const int fd = is_paused ? -1 : connection->fd.get();
    entries.push_back({.fd = fd, .events = POLLIN, .revents = 0});
  }
  poll(entries.data(), entries.size(),
       static_cast<int>(std::chrono::milliseconds(kIdleCheckInterval).count()));

  const Clock::time_point now = Clock::now();
  std::vector<ConnectionPtr> still_idle;
  std::size_t closed = 0;
  for (std::size_t i = 0; i < idle_.size(); ++i) {
    const bool has_request =
        entries[1 + listeners_.size() + i].revents != 0 || idle_[i]->stream.has_buffered();
    if (has_request && !is_paused) {
      hand_over(std::move(idle_[i]));
    } else if (is_paused || now - idle_[i]->idle_since < kIdleTime) {
      still_idle.push_back(std::move(idle_[i]));
    } else {
      ++closed;
    }
  }
  idle_ = std::move(still_idle);
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    if (entries[1 + i].revents != 0) accept_from(listeners_[i]);
  }
  const std::lock_guard lock(mutex_);
  connections_ -= closed;
  return !stopping_;
}

void HttpServer::accept_from(const HttpListener& listener) {
  while (true) {
    Fd socket(accept4(listener.fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket.valid()) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno != EAGAIN) std::this_thread::sleep_for(kAcceptPause);
      return;
    }
    const std::lock_guard lock(mutex_);
    if (connections_ < kMaxConnections) {
      ++connections_;
      idle_.push_back(std::make_unique<Connection>(std::move(socket)));
    } else if (Clock::now() >= next_warning_) {
      next_warning_ = Clock::now() + kWarningInterval;
      spdlog::warn("closed a connection to the API: {} are open, which is the limit",
                   kMaxConnections);
    }
  }
}

void HttpServer::hand_over(ConnectionPtr connection) {
  const std::lock_guard lock(mutex_);
  ready_.push_back(std::move(connection));
  if (idle_threads_ < ready_.size() && pool_.size() < kMaxThreads) {
    try {
      pool_.emplace_back([this] { run_pool_thread(); });
    } catch (const std::system_error& error) {  // those that run already take it in turn
      spdlog::warn("cannot start a thread for the API: {}", error.what());
    }
  }
  request_waits_.notify_one();
}

void HttpServer::take_back() {
  std::uint64_t ignored = 0;
  [[maybe_unused]] const ssize_t got = read(wake_up_.get(), &ignored, sizeof(ignored));
  std::vector<ConnectionPtr> returned;
  {
    const std::lock_guard lock(mutex_);
    returned = std::exchange(returned_, {});
  }
  for (ConnectionPtr& connection : returned) {
    connection->idle_since = Clock::now();
    if (connection->stream.has_buffered() && !watcher_is_paused_) {
      hand_over(std::move(connection));
    } else {
      idle_.push_back(std::move(connection));
    }
  }
}

void HttpServer::run_pool_thread() {
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_threads_;
    request_waits_.wait(lock, [this] { return stopping_ || !ready_.empty(); });
    --idle_threads_;
    if (stopping_) return;
    ConnectionPtr connection = std::move(ready_.front());
    ready_.pop_front();
    serving_.push_back(connection->fd.get());
    lock.unlock();
    const bool keep = engine_.serve(connection->stream);
    finish(std::move(connection), keep);
    lock.lock();
  }
}

void HttpServer::finish(ConnectionPtr connection, bool keep) {
  if (!keep) linger(connection->fd.get());
  {
    const std::lock_guard lock(mutex_);
    serving_.erase(std::find(serving_.begin(), serving_.end(), connection->fd.get()));
    if (keep) {
      returned_.push_back(std::move(connection));
    } else {
      --connections_;
      connection.reset();
    }
  }
  answered_.notify_all();
  wake_watcher();
}

}  // namespace skiff::agent
