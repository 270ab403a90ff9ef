#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "agent/stream_marks.h"
#include "dubbo/result.h"
#include "forwarder/connection_store.h"
#include "forwarder/socket.h"

namespace skiff::agent {

// What systemd keeps for the process that comes after this one, whether this one ends in order or
// is killed (FileDescriptorStoreMax= in systemd.service(5), FDSTORE=1 in sd_notify(3)): the
// listeners, consumers' connections, and the memory with their marks. It drops a connection by
// itself when that was shut down. inherited_descriptors.h is the other end.
//
// Short-lived connections are none of systemd's business: one is kept from kSettleTime on.
class DescriptorStore final : public forwarder::ConnectionStore {
 public:
  static constexpr std::chrono::milliseconds kSettleTime{1000};
  // In one message: systemd compares each with all that it has, so that it takes little at a time
  // and no more than StreamMarks::kMax in all.
  static constexpr std::size_t kBatchMax = 32;

  // What the descriptors are called there.
  static constexpr const char* kMarks = "marks";
  static constexpr const char* kConsumer = "consumer";
  static constexpr const char* kOutbound = "outbound";
  static constexpr const char* kInbound = "inbound";
  static constexpr const char* kApi = "api";

  struct Listener {
    const char* name;
    forwarder::Fd fd;
  };
  struct Counts {
    std::uint64_t kept = 0;      // connections, now
    std::uint64_t not_kept = 0;  // for want of room
  };

  // Null where systemd has not started this process. Fails with kUnavailable where there is no
  // memory for the marks.
  static Result<std::unique_ptr<DescriptorStore>> open();
  ~DescriptorStore() override;

  // From now on systemd is told: before this, it takes another process for the service.
  void begin(std::vector<Listener> listeners);
  // systemd closes what it has by that name.
  static void remove(const char* name);
  // From now on systemd is told by a successor.
  void leave_to_successor();
  // The successor does not come: what was left to it has been shut down.
  void forget_left();

  // From any thread.
  forwarder::StreamMark* keep(int fd) override;
  void forget(forwarder::StreamMark& mark) override;
  void leave(forwarder::StreamMark& mark) override;
  Counts counts() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Place {
    int fd = -1;           // of its owner; -1: there is none
    bool is_told = false;  // of
    forwarder::Fd left;    // of one that its owner has left before that
  };
  struct Waiting {
    std::size_t place = 0;
    std::uint64_t connection = 0;
    Clock::time_point due;
  };

  explicit DescriptorStore(StreamMarks marks);
  void stop();
  void run(std::vector<Listener> listeners);
  std::vector<forwarder::Fd> take_due(Clock::time_point now);

  const StreamMarks marks_;
  mutable std::mutex mutex_;  // of all below
  std::condition_variable changed_;
  std::vector<Place> places_;      // each beside its mark
  std::vector<std::size_t> free_;  // of them
  std::deque<Waiting> waiting_;    // to be told of, in the order of their time
  std::uint64_t not_kept_ = 0;
  bool is_stopping_ = false;
  bool is_successors_ = false;
  std::thread thread_;
};

}  // namespace skiff::agent
