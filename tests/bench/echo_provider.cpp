#include "tests/bench/echo_provider.h"

#include <sys/socket.h>

#include <utility>

#include "dubbo/bytes.h"
#include "forwarder/socket.h"
#include "tests/bench/messages.h"

namespace skiff::bench {

using dubbo::FrameHeader;
using forwarder::Fd;
using forwarder::SocketAddress;

class EchoProvider::Listener : public EventHandler {
 public:
  Listener(EchoProvider& provider, Fd fd) : provider_(provider), fd_(std::move(fd)) {}
  void on_events(std::uint32_t /*events*/) override { provider_.accept_all(fd_.get()); }
  int fd() const { return fd_.get(); }

 private:
  EchoProvider& provider_;
  Fd fd_;
};

class EchoProvider::Connection : public EventHandler {
 public:
  Connection(EchoProvider& provider, Fd fd) : provider_(provider), fd_(std::move(fd)) {}

  int fd() const { return fd_.get(); }
  bool closed() const { return !fd_.valid(); }

  void on_events(std::uint32_t events) override {
    const bool readable = (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0;
    if (readable && !read_requests()) return close();
    switch (writer_.flush(fd_.get())) {
      case WriteState::kDone:
        return want(EPOLLIN);
      case WriteState::kBlocked:
        return want(writer_.waiting() > kWaitingAnswersMax ? EPOLLOUT : EPOLLIN | EPOLLOUT);
      case WriteState::kFailed:
        return close();
    }
  }

 private:
  bool read_requests() {
    const ReadResult read = read_some(fd_.get(), provider_.poller_.scratch());
    if (read.state != ReadState::kMore) return read.state == ReadState::kBlocked;
    return scanner_.feed(read.bytes, [this](const FrameHeader& request) { answer(request); });
  }

  void answer(const FrameHeader& request) {
    if (!request.is_request || !request.is_two_way) return;
    FrameHeader header;
    header.request_id = request.request_id;
    header.serialization = request.serialization;
    header.status = dubbo::Status::kOk;
    header.is_event = request.is_event;
    writer_.add(header,
                dubbo::as_bytes(request.is_event ? kNull : std::string_view(provider_.answer_)));
  }

  void want(std::uint32_t events) {
    if (events == wanted_) return;
    provider_.poller_.change(fd_.get(), *this, events);
    wanted_ = events;
  }

  void close() {
    fd_.reset();
    provider_.some_closed_ = true;
  }

  static constexpr std::string_view kNull = "N";  // the body of a heartbeat

  EchoProvider& provider_;
  Fd fd_;
  FrameScanner scanner_;
  FrameWriter writer_;
  std::uint32_t wanted_ = EPOLLIN;
};

EchoProvider::EchoProvider(Poller poller, std::string answer)
    : poller_(std::move(poller)), answer_(std::move(answer)) {}
EchoProvider::~EchoProvider() = default;

Result<std::unique_ptr<EchoProvider>> EchoProvider::create(std::size_t answer_bytes) {
  Result<Poller> poller = Poller::create();
  if (!poller) return tl::unexpected(poller.error());
  return std::unique_ptr<EchoProvider>(
      new EchoProvider(std::move(*poller), answer_body(answer_bytes)));
}

Result<std::uint16_t> EchoProvider::listen(const std::string& host, std::uint16_t port) {
  const Result<SocketAddress> address = SocketAddress::parse(host, port);
  if (!address) return tl::unexpected(address.error());
  Result<Fd> fd = forwarder::listen_on(*address, false);
  if (!fd) return tl::unexpected(fd.error());
  Listener& listener = *listeners_.emplace_back(std::make_unique<Listener>(*this, std::move(*fd)));
  if (const Result<void> added = poller_.add(listener.fd(), listener, EPOLLIN); !added)
    return tl::unexpected(added.error());
  return SocketAddress::local_of(listener.fd()).port();
}

void EchoProvider::accept_all(int listener) {
  for (;;) {
    Fd fd(accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd.valid()) return;
    auto connection = std::make_unique<Connection>(*this, std::move(fd));
    if (poller_.add(connection->fd(), *connection, EPOLLIN))
      connections_.push_back(std::move(connection));
  }
}

void EchoProvider::run() {
  for (;;) {
    poller_.turn();
    if (std::exchange(some_closed_, false)) {
      std::erase_if(connections_, [](const auto& connection) { return connection->closed(); });
    }
  }
}

}  // namespace skiff::bench
