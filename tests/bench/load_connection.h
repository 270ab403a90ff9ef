#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "dubbo/bytes.h"
#include "dubbo/frame.h"
#include "forwarder/socket.h"
#include "tests/bench/frame_stream.h"
#include "tests/bench/poller.h"

namespace skiff::bench {

class LoadConnection;

// What a connection tells its generator.
class LoadObserver {
 public:
  virtual ~LoadObserver() = default;
  // `request_due` belongs to the request that was answered. The connection has room for another
  // one.
  virtual void on_answer(LoadConnection& connection, dubbo::Status status, TimePoint request_due,
                         TimePoint now) = 0;
  virtual void on_unknown_id() = 0;
  // Nothing more will come; what was not answered by then never will be.
  virtual void on_broken(LoadConnection& connection) = 0;
};

// One connection of the load generator, with a slot for each request on the way. A request's id is
// its slot's number and the count of the slot's uses, so that a late or repeated answer is told
// from the one that is waited for.
class LoadConnection : public EventHandler {
 public:
  // `number` makes ids differ between connections. `poller` and `observer` must outlive it.
  LoadConnection(std::uint32_t number, unsigned slots, Poller& poller, LoadObserver& observer);

  // Begins to connect; is_connected() tells when it is done, on_broken() when it failed.
  Result<void> connect(const forwarder::SocketAddress& target);
  bool is_connected() const { return is_connected_; }
  bool is_broken() const { return !fd_.valid(); }

  bool has_room() const { return !free_.empty(); }
  std::size_t on_the_way() const { return slots_.size() - free_.size(); }
  // Queues a request; needs room. flush() sends what was queued; `body` must outlive that.
  void request(dubbo::Bytes body, TimePoint due);
  void flush();

  void on_events(std::uint32_t events) override;

 private:
  struct Slot {
    std::uint16_t uses = 0;
    bool is_taken = false;
    TimePoint due;
  };
  std::uint64_t id_of(std::size_t slot) const;
  void read_answers();
  void take_answer(const dubbo::FrameHeader& header, TimePoint now);
  void want(std::uint32_t events);
  void break_off();

  const std::uint32_t number_;
  Poller& poller_;
  LoadObserver& observer_;
  forwarder::Fd fd_;
  bool is_connected_ = false;
  std::uint32_t wanted_ = 0;
  FrameScanner scanner_;
  FrameWriter writer_;
  std::vector<Slot> slots_;
  std::vector<std::uint16_t> free_;
};

}  // namespace skiff::bench
