#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "forwarder/event_loop.h"
#include "forwarder/forwarder.h"
#include "forwarder/socket.h"
#include "forwarder/worker_context.h"

namespace skiff::forwarder {

// One worker's listening socket. Lives on its worker's thread.
class Listener : public EventHandler {
 public:
  // Called with each accepted socket.
  using Accept = std::function<void(Fd)>;

  // `fd` listens already.
  Listener(WorkerContext& context, Fd fd, bool local_only, Accept accept);
  ~Listener() override;

  Result<void> start();
  void on_events(std::uint32_t events) override;
  // Takes what waits to be accepted, then closes the socket.
  void stop();

  // For a successor in another process: accepts no more, until start() is called again.
  void pause();
  Fd duplicate() const { return fd_.duplicate(); }
  // Closes the socket; who waits to be accepted is the successor's, which has a duplicate.
  void leave_to_successor();

 private:
  // True where more may wait.
  bool accept_up_to(std::size_t most);
  bool peer_is_allowed(const Fd& socket);

  WorkerContext& context_;
  Fd fd_;
  bool local_only_;
  Accept accept_;
  Timer retry_;
};

}  // namespace skiff::forwarder
