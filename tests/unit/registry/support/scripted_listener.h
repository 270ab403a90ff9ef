#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <future>
#include <mutex>
#include <set>
#include <string>
#include <thread>

namespace skiff::registry {

// A port of loopback whose connections, one after another, are served by a script on a thread; each
// is closed when its script returns.
class ScriptedListener {
 public:
  class Connection {
   public:
    explicit Connection(int fd) : fd_(fd) {}
    // Waits for so many bytes; fewer at the end of the stream.
    std::string read(std::size_t bytes);
    // False where the other side has gone.
    bool write(const std::string& bytes);

   private:
    int fd_;
  };
  using Script = std::function<void(Connection&)>;

  // `port` 0: a free one. Throws std::runtime_error where it cannot listen there.
  explicit ScriptedListener(Script script, std::uint16_t port = 0);
  // Closes everything; running scripts see the end of their streams.
  ~ScriptedListener();
  ScriptedListener(const ScriptedListener&) = delete;
  ScriptedListener& operator=(const ScriptedListener&) = delete;

  std::uint16_t port() const { return port_; }
  int connections() const { return connections_; }

 private:
  void serve();

  Script script_;
  int fd_;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_{0};
  std::mutex mutex_;
  bool ending_ = false;  // guarded by mutex_
  int current_ = -1;     // guarded by mutex_
  std::thread thread_;
};

}  // namespace skiff::registry
