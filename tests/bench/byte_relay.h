#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dubbo/result.h"
#include "forwarder/socket.h"
#include "tests/bench/poller.h"

namespace skiff::bench {

// Copies bytes between each connection that it accepts and one of its own to the target: what any
// relay of one connection to one connection costs at the least. One thread.
class ByteRelay : public EventHandler {
 public:
  // Both addresses numeric; `listen_port` 0 takes a free one.
  static Result<std::unique_ptr<ByteRelay>> create(const forwarder::SocketAddress& listen_address,
                                                   const forwarder::SocketAddress& target);
  ~ByteRelay() override;

  std::uint16_t port() const;
  [[noreturn]] void run();

  void on_events(std::uint32_t events) override;

 private:
  class End;
  class Pair;

  ByteRelay(Poller poller, forwarder::Fd listener, const forwarder::SocketAddress& target);
  void accept_one(forwarder::Fd fd);

  Poller poller_;
  forwarder::Fd listener_;
  const forwarder::SocketAddress target_;
  std::vector<std::unique_ptr<Pair>> pairs_;
  bool some_closed_ = false;
};

}  // namespace skiff::bench
