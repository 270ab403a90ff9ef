#include "tests/bench/load_connection.h"

#include <utility>

#include "dubbo/check.h"

namespace skiff::bench {

using dubbo::FrameHeader;

LoadConnection::LoadConnection(std::uint32_t number, unsigned slots, Poller& poller,
                               LoadObserver& observer)
    : number_(number), poller_(poller), observer_(observer), slots_(slots) {
  for (unsigned slot = slots; slot > 0; --slot)
    free_.push_back(static_cast<std::uint16_t>(slot - 1));
}

Result<void> LoadConnection::connect(const forwarder::SocketAddress& target) {
  auto fd = forwarder::connect_to(target);
  if (!fd) return tl::unexpected(fd.error());
  fd_ = std::move(*fd);
  wanted_ = EPOLLOUT;
  return poller_.add(fd_.get(), *this, wanted_);
}

// 32 bits connection, 16 bits slot, 16 bits uses.
std::uint64_t LoadConnection::id_of(std::size_t slot) const {
  return (std::uint64_t{number_} << 32U) | (std::uint64_t{slot} << 16U) | slots_[slot].uses;
}

void LoadConnection::request(dubbo::Bytes body, TimePoint due) {
  check(has_room(), "a request without room");
  const std::uint16_t index = free_.back();
  free_.pop_back();
  Slot& slot = slots_[index];
  slot.is_taken = true;
  slot.due = due;
  ++slot.uses;
  FrameHeader header;
  header.request_id = id_of(index);
  header.is_request = header.is_two_way = true;
  writer_.add(header, body);
}

void LoadConnection::flush() {
  if (!fd_.valid() || !is_connected_) return;
  switch (writer_.flush(fd_.get())) {
    case WriteState::kDone:
      return want(EPOLLIN);
    case WriteState::kBlocked:
      return want(EPOLLIN | EPOLLOUT);
    case WriteState::kFailed:
      return break_off();
  }
}

void LoadConnection::on_events(std::uint32_t events) {
  if (!is_connected_) {
    if (forwarder::socket_error(fd_.get()) != 0) return break_off();
    is_connected_ = true;
    return want(EPOLLIN);
  }
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) read_answers();
  flush();
}

void LoadConnection::read_answers() {
  const ReadResult read = read_some(fd_.get(), poller_.scratch());
  if (read.state == ReadState::kBlocked) return;
  if (read.state == ReadState::kClosed) return break_off();
  const TimePoint now = Clock::now();
  if (!scanner_.feed(read.bytes, [&](const FrameHeader& header) { take_answer(header, now); }))
    break_off();
}

void LoadConnection::take_answer(const FrameHeader& header, TimePoint now) {
  if (header.is_event) return;
  const auto index = static_cast<std::size_t>((header.request_id >> 16U) & 0xffffU);
  if (header.is_request || index >= slots_.size() || !slots_[index].is_taken ||
      id_of(index) != header.request_id) {
    return observer_.on_unknown_id();
  }
  slots_[index].is_taken = false;
  free_.push_back(static_cast<std::uint16_t>(index));
  observer_.on_answer(*this, header.status, slots_[index].due, now);
}

void LoadConnection::want(std::uint32_t events) {
  if (events == wanted_) return;
  poller_.change(fd_.get(), *this, events);
  wanted_ = events;
}

void LoadConnection::break_off() {
  fd_.reset();
  observer_.on_broken(*this);
}

}  // namespace skiff::bench
