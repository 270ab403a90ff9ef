#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "agent/handover.h"
#include "agent/http_engine.h"
#include "agent/http_listener.h"
#include "agent/http_stream.h"

namespace skiff::agent {

// Serves the API on all of its addresses. One thread accepts and watches idle connections; a
// connection with a request waiting is handed to a pool thread for that one request, so idle
// clients cost no thread. Public calls come from one thread, that of its owner.
class HttpServer {
 public:
  static constexpr std::size_t kMaxConnections = 1'000;  // more are closed at once
  static constexpr std::size_t kMaxThreads = 128;        // started as they are needed
  static constexpr std::chrono::seconds kIdleTime{30};   // of a connection without a request

  // Listens on all of `addresses`, those aside that another process has opened and `handed` over;
  // fails where that is not possible.
  static Result<std::vector<HttpListener>> listen(const std::vector<ApiAddress>& addresses,
                                                  std::vector<HandedListeners::Api> handed = {});
  // `application` is called by pool threads. `is_paused`: as after pause().
  static Result<std::unique_ptr<HttpServer>> start(std::vector<HttpListener> listeners,
                                                   HttpEngine::Application application,
                                                   bool is_paused = false);
  ~HttpServer();

  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Where it listens, with real ports.
  std::vector<ApiAddress> addresses() const;
  // No new connections and no further requests; what is being answered goes on.
  void close_listeners();

  // --- to a successor, another process
  std::vector<HttpListener> duplicate_listeners() const;
  // Takes no further requests; they wait, until resume() or in the successor. Whether at most
  // `calls` are still being answered within `limit`.
  bool pause(std::size_t calls, std::chrono::milliseconds limit);
  void resume();
  // As close_listeners(), but the successor goes on with them, and with the connections that are
  // returned: none of them has a request under way here.
  std::vector<forwarder::Fd> leave_to_successor();
  // Of the successor: serves from now on, and owns the files of Unix sockets.
  void go_on();
  // What leave_to_successor() returned.
  void adopt(std::vector<forwarder::Fd> clients);

 private:
  using Clock = std::chrono::steady_clock;
  struct Connection {
    explicit Connection(forwarder::Fd socket) : fd(std::move(socket)), stream(fd.get()) {}
    forwarder::Fd fd;
    HttpStream stream;
    Clock::time_point idle_since = Clock::now();
  };
  using ConnectionPtr = std::unique_ptr<Connection>;

  HttpServer(std::vector<HttpListener> listeners, forwarder::Fd wake_up,
             HttpEngine::Application application, bool is_paused);

  void watch();
  bool wait_for_events();
  void accept_from(const HttpListener& listener);
  void hand_over(ConnectionPtr connection);
  void take_back();
  bool must_pause();
  void stop_watching();

  void run_pool_thread();
  void finish(ConnectionPtr connection, bool keep);
  void wake_watcher() const;

  HttpEngine engine_;
  std::vector<HttpListener> listeners_;
  forwarder::Fd wake_up_;  // an eventfd

  std::mutex mutex_;  // guards what follows
  std::condition_variable request_waits_;
  std::condition_variable answered_;
  bool stopping_ = false;
  bool paused_ = false;
  bool watcher_is_paused_ = false;
  std::deque<ConnectionPtr> ready_;      // with a request waiting
  std::vector<ConnectionPtr> returned_;  // answered, for the watcher
  std::vector<int> serving_;             // sockets in the hands of pool threads
  std::size_t connections_ = 0;
  std::size_t idle_threads_ = 0;
  std::vector<std::thread> pool_;

  // The watcher's own.
  std::vector<ConnectionPtr> idle_;
  Clock::time_point next_warning_{};
  std::thread watcher_;
};

}  // namespace skiff::agent
