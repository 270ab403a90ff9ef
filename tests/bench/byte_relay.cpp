#include "tests/bench/byte_relay.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace skiff::bench {

using forwarder::Fd;
using forwarder::SocketAddress;

// One socket of a pair.
class ByteRelay::End : public EventHandler {
 public:
  End(Pair& pair, Fd fd) : pair_(pair), fd_(std::move(fd)) {}

  int fd() const { return fd_.get(); }
  void on_events(std::uint32_t events) override;

  Result<void> watch(Poller& poller, std::uint32_t events) {
    wanted_ = events;
    return poller.add(fd_.get(), *this, events);
  }
  // Reading stops while the other end has not taken what was read.
  void update_interest(Poller& poller, bool may_read) {
    const std::uint32_t events = (may_read ? EPOLLIN : 0U) | (unsent_.empty() ? 0U : EPOLLOUT);
    if (std::exchange(wanted_, events) != events) poller.change(fd_.get(), *this, events);
  }

  // Sends now what the socket takes, and keeps the rest: at most what one read brought. False where
  // the socket is broken.
  bool send(dubbo::Bytes bytes) {
    const ssize_t sent = write(fd_.get(), bytes.data(), bytes.size());
    if (sent < 0 && errno != EAGAIN) return false;
    bytes = bytes.subspan(sent < 0 ? 0 : static_cast<std::size_t>(sent));
    unsent_.assign(bytes.begin(), bytes.end());
    return true;
  }
  bool send_rest() { return send(std::exchange(unsent_, {})); }
  bool has_unsent() const { return !unsent_.empty(); }

 private:
  Pair& pair_;
  Fd fd_;
  std::vector<std::byte> unsent_;
  std::uint32_t wanted_ = 0;
};

class ByteRelay::Pair {
 public:
  Pair(ByteRelay& relay, Fd downstream, Fd upstream)
      : relay_(relay),
        downstream_(*this, std::move(downstream)),
        upstream_(*this, std::move(upstream)) {}

  // What the kernel took from the downstream meanwhile waits there until the upstream is connected.
  bool start() {
    return downstream_.watch(relay_.poller_, 0).has_value() &&
           upstream_.watch(relay_.poller_, EPOLLOUT).has_value();
  }
  bool is_closed() const { return is_closed_; }

  void on_events(End& end, std::uint32_t events) {
    if (is_closed_) return;
    if (!is_connected_) {
      // The downstream's EPOLLHUP may come first; the upstream is not connected by it.
      if (&end != &upstream_ || forwarder::socket_error(end.fd()) != 0) return close();
      is_connected_ = true;
    }
    End& other = &end == &upstream_ ? downstream_ : upstream_;
    if ((events & EPOLLOUT) != 0 && end.has_unsent() && !end.send_rest()) return close();
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && !other.has_unsent() && !copy(end, other))
      return close();
    downstream_.update_interest(relay_.poller_, !upstream_.has_unsent());
    upstream_.update_interest(relay_.poller_, !downstream_.has_unsent());
  }

 private:
  bool copy(End& from, End& to) {
    const ReadResult read = read_some(from.fd(), relay_.poller_.scratch());
    if (read.state != ReadState::kMore) return read.state == ReadState::kBlocked;
    return to.send(read.bytes);
  }

  // A consumer that closes has its answers, and so has one whose provider does: both ends go.
  void close() {
    is_closed_ = true;
    relay_.some_closed_ = true;
  }

  ByteRelay& relay_;
  End downstream_;
  End upstream_;
  bool is_connected_ = false;
  bool is_closed_ = false;
};

void ByteRelay::End::on_events(std::uint32_t events) { pair_.on_events(*this, events); }

ByteRelay::ByteRelay(Poller poller, Fd listener, const SocketAddress& target)
    : poller_(std::move(poller)), listener_(std::move(listener)), target_(target) {}
ByteRelay::~ByteRelay() = default;

Result<std::unique_ptr<ByteRelay>> ByteRelay::create(const SocketAddress& listen_address,
                                                     const SocketAddress& target) {
  Result<Poller> poller = Poller::create();
  if (!poller) return tl::unexpected(poller.error());
  Result<Fd> listener = forwarder::listen_on(listen_address, false);
  if (!listener) return tl::unexpected(listener.error());
  std::unique_ptr<ByteRelay> relay(new ByteRelay(std::move(*poller), std::move(*listener), target));
  if (const Result<void> added = relay->poller_.add(relay->listener_.get(), *relay, EPOLLIN);
      !added)
    return tl::unexpected(added.error());
  return relay;
}

std::uint16_t ByteRelay::port() const { return SocketAddress::local_of(listener_.get()).port(); }

void ByteRelay::on_events(std::uint32_t /*events*/) {
  for (;;) {
    Fd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd.valid()) return;
    accept_one(std::move(fd));
  }
}

void ByteRelay::accept_one(Fd fd) {
  Result<Fd> upstream = forwarder::connect_to(target_);
  if (!upstream) return;  // closes `fd`: the load generator sees it
  auto pair = std::make_unique<Pair>(*this, std::move(fd), std::move(*upstream));
  if (pair->start()) pairs_.push_back(std::move(pair));
}

void ByteRelay::run() {
  for (;;) {
    poller_.turn();
    if (std::exchange(some_closed_, false)) {
      std::erase_if(pairs_, [](const auto& pair) { return pair->is_closed(); });
    }
  }
}

}  // namespace skiff::bench
