#include "support/answering_provider.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <string_view>

#include "support/raw_peer.h"

namespace skiff::forwarder::testing {
namespace {

using dubbo::FrameHeader;

constexpr std::size_t kMuch = 1 << 20;  // is sent before more is answered

void watch(const Fd& epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.fd = fd;
  if (epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    throw std::runtime_error("epoll_ctl failed");
  }
}

}  // namespace

AnsweringProvider::AnsweringProvider(const std::string& value)
    : answer_(response_frame(0, value)),
      listener_(std::move(*listen_on(*SocketAddress::parse("127.0.0.1", 0), false))),
      port_(SocketAddress::local_of(listener_.get()).port()),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      end_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  watch(epoll_, listener_.get());
  watch(epoll_, end_.get());
  thread_ = std::thread([this] { serve(); });
}

AnsweringProvider::~AnsweringProvider() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(end_.get(), &one, sizeof one);
  thread_.join();
}

void AnsweringProvider::serve() {
  std::array<epoll_event, 256> events{};
  while (true) {
    const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      if (event.data.fd == end_.get()) {
        if ((event.events & EPOLLIN) != 0) return;
      } else if (event.data.fd == listener_.get()) {
        accept_all();
      } else if (const auto found = connections_.find(event.data.fd); found != connections_.end()) {
        if (!handle(found->second)) connections_.erase(found);
      }
    }
  }
}

void AnsweringProvider::accept_all() {
  while (true) {
    Fd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd.valid()) return;
    const int number = fd.get();
    connections_[number].fd = std::move(fd);
    watch(epoll_, number);
  }
}

bool AnsweringProvider::handle(Connection& connection) {
  std::array<char, 65536> piece;  // NOLINT(cppcoreguidelines-pro-type-member-init): read into
  while (true) {
    const bool answered_all = answer(connection);
    if (!flush(connection)) return false;
    if (!connection.output.empty()) return true;  // goes on when it is writable again
    if (!answered_all) continue;
    const ssize_t got = recv(connection.fd.get(), piece.data(), piece.size(), 0);
    if (got == 0 || (got < 0 && errno != EAGAIN)) return false;
    if (got < 0) return true;
    connection.input.append(piece.data(), static_cast<std::size_t>(got));
  }
}

bool AnsweringProvider::answer(Connection& connection) {
  std::size_t begin = 0;
  bool enough = false;
  while (!enough) {
    const auto rest = dubbo::as_bytes(std::string_view(connection.input).substr(begin));
    const auto header = dubbo::parse_frame_header(rest, UINT32_MAX);
    if (!header || rest.size() < FrameHeader::kSize + header->body_size) break;
    begin += FrameHeader::kSize + header->body_size;
    if (!header->is_request) continue;
    if (!header->is_event) ++requests_;
    if (!header->is_two_way) continue;
    connection.output +=
        header->is_event ? heartbeat_answer(header->request_id) : answer_to(*header);
    enough = connection.output.size() > kMuch;
  }
  connection.input.erase(0, begin);
  return !enough;
}

std::string AnsweringProvider::answer_to(const FrameHeader& request) const {
  std::string frame = answer_;
  FrameHeader header = dubbo::header_of(dubbo::as_bytes(frame));
  header.request_id = request.request_id;
  header.status = status_;
  dubbo::write_frame_header(header, reinterpret_cast<std::byte*>(frame.data()));
  return frame;
}

bool AnsweringProvider::flush(Connection& connection) {
  std::string& output = connection.output;
  while (connection.sent < output.size()) {
    const ssize_t sent = send(connection.fd.get(), output.data() + connection.sent,
                              output.size() - connection.sent, MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN;
    connection.sent += static_cast<std::size_t>(sent);
  }
  output.clear();
  connection.sent = 0;
  return true;
}

}  // namespace skiff::forwarder::testing
