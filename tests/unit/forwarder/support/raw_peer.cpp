#include "support/raw_peer.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <stdexcept>
#include <thread>

namespace skiff::forwarder::testing {
namespace {

using dubbo::FrameHeader;
using std::chrono::milliseconds;

std::string hessian_string(const std::string& text) {
  if (text.size() < 32) return static_cast<char>(text.size()) + text;
  // 'S', a 16-bit length, the characters.
  const auto size = static_cast<std::uint16_t>(text.size());
  return std::string{'S', static_cast<char>(size >> 8), static_cast<char>(size & 0xff)} + text;
}

std::string header_alone(FrameHeader header, std::uint32_t body_size) {
  header.body_size = body_size;
  std::string bytes(FrameHeader::kSize, '\0');
  dubbo::write_frame_header(header, reinterpret_cast<std::byte*>(bytes.data()));
  return bytes;
}

std::string frame_of(const FrameHeader& header, const std::string& body) {
  return header_alone(header, static_cast<std::uint32_t>(body.size())) + body;
}

bool wait_readable(int fd) {
  pollfd wanted{fd, POLLIN, 0};
  return poll(&wanted, 1, static_cast<int>(milliseconds(kDeadline).count())) == 1;
}

void make_blocking(int fd) {
  const timeval timeout{std::chrono::seconds(kDeadline).count(), 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
}

}  // namespace

std::string request_frame(const RequestSpec& spec) {
  std::string body = hessian_string("2.0.2") + hessian_string(spec.interface) +
                     hessian_string(spec.version.empty() ? "0.0.0" : spec.version) +
                     hessian_string(spec.method) + hessian_string("Ljava/lang/String;") +
                     hessian_string(spec.argument) + "H";
  for (const auto& [key, value] : spec.attachments) {
    body += hessian_string(key) + hessian_string(value);
  }
  for (const auto& [key, value] : spec.number_attachments) {
    body += hessian_string(key) + '\xc8' + static_cast<char>(value);
  }
  body += "Z";
  FrameHeader header;
  header.request_id = spec.id;
  header.is_request = true;
  header.is_two_way = spec.two_way;
  return frame_of(header, body);
}

std::string response_frame(std::uint64_t id, const std::string& value) {
  FrameHeader header;
  header.request_id = id;
  header.status = dubbo::Status::kOk;
  return frame_of(header, "\x91" + hessian_string(value));
}

std::string oversized_request_frame(std::uint64_t id, std::uint32_t body_size) {
  FrameHeader header;
  header.request_id = id;
  header.is_request = header.is_two_way = true;
  return frame_of(header, std::string(body_size, 'x'));
}

std::string request_header(std::uint64_t id, std::uint32_t body_size) {
  FrameHeader header;
  header.request_id = id;
  header.is_request = header.is_two_way = true;
  return header_alone(header, body_size);
}

std::string response_header(std::uint64_t id, std::uint32_t body_size) {
  FrameHeader header;
  header.request_id = id;
  header.status = dubbo::Status::kOk;
  return header_alone(header, body_size);
}

std::string heartbeat_frame(std::uint64_t id) {
  FrameHeader header;
  header.request_id = id;
  header.is_request = header.is_two_way = header.is_event = true;
  return frame_of(header, "N");
}

std::string heartbeat_answer(std::uint64_t id) {
  FrameHeader header;
  header.request_id = id;
  header.is_event = true;
  header.status = dubbo::Status::kOk;
  return frame_of(header, "N");
}

std::string readonly_frame() {
  FrameHeader header;
  header.is_request = header.is_event = true;
  return frame_of(header, "\x01R");
}

RawPeer::RawPeer(Fd fd) : fd_(std::move(fd)) { make_blocking(fd_.get()); }

RawPeer RawPeer::connect(std::uint16_t port) {
  RawPeer peer = unconnected();
  peer.connect_to(port);
  return peer;
}

RawPeer RawPeer::unconnected() {
  return RawPeer(Fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)));
}

void RawPeer::connect_to(std::uint16_t port) {
  const SocketAddress address = *SocketAddress::parse("127.0.0.1", port);
  if (::connect(fd_.get(), address.data(), address.size()) != 0) {
    throw std::runtime_error("connect to port " + std::to_string(port) + ": " + errno_text(errno));
  }
}

void RawPeer::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;  // the test sees the lost connection when it reads
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::size_t RawPeer::send_what_fits(std::string_view bytes) {
  const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent > 0 ? static_cast<std::size_t>(sent) : 0;
}

bool RawPeer::skip(std::size_t bytes) {
  while (buffer_.size() < bytes) {
    bytes -= buffer_.size();
    buffer_.clear();
    if (!read_more()) return false;
  }
  buffer_.erase(0, bytes);
  return true;
}

void RawPeer::reset() {
  const linger at_once{1, 0};
  setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

bool RawPeer::read_more() {
  std::string piece(65536, '\0');
  const ssize_t got = recv(fd_.get(), piece.data(), piece.size(), 0);
  if (got <= 0) return false;
  buffer_.append(piece, 0, static_cast<std::size_t>(got));
  return true;
}

std::optional<ReceivedFrame> RawPeer::receive() {
  while (true) {
    const auto header = dubbo::parse_frame_header(dubbo::as_bytes(buffer_), UINT32_MAX);
    if (header) {
      const std::size_t size = FrameHeader::kSize + header->body_size;
      if (buffer_.size() >= size) {
        ReceivedFrame frame{*header, buffer_.substr(0, size)};
        buffer_.erase(0, size);
        return frame;
      }
    } else if (header.error().code != ErrorCode::kIncomplete) {
      return std::nullopt;
    }
    if (!read_more()) return std::nullopt;
  }
}

bool RawPeer::sees_end() {
  if (!buffer_.empty() || !wait_readable(fd_.get())) return false;
  char byte = 0;
  return recv(fd_.get(), &byte, 1, 0) <= 0;
}

bool RawPeer::has_input() {
  pollfd wanted{fd_.get(), POLLIN, 0};
  return !buffer_.empty() || poll(&wanted, 1, 0) == 1;
}

RawListener::RawListener(std::uint16_t port)
    : fd_(std::move(*listen_on(*SocketAddress::parse("127.0.0.1", port), false))),
      port_(SocketAddress::local_of(fd_.get()).port()) {}

RawPeer RawListener::accept() {
  if (!wait_readable(fd_.get())) throw std::runtime_error("nobody connected in time");
  return RawPeer(Fd(accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC)));
}

FullListener::FullListener() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const SocketAddress any_port = *SocketAddress::parse("127.0.0.1", 0);
  if (bind(fd_.get(), any_port.data(), any_port.size()) != 0 || listen(fd_.get(), 0) != 0) {
    throw std::runtime_error("cannot listen");
  }
  const SocketAddress address = SocketAddress::local_of(fd_.get());
  port_ = address.port();
  // The kernel keeps one more than the backlog; those after it wait for ever.
  for (int i = 0; i < 3; ++i) {
    queue_.emplace_back(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    [[maybe_unused]] const int connecting =
        ::connect(queue_.back().get(), address.data(), address.size());
  }
}

std::uint16_t closed_port() {
  static std::vector<Fd> kept;  // so that nobody else is given the port
  Fd& fd = kept.emplace_back(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const SocketAddress any_port = *SocketAddress::parse("127.0.0.1", 0);
  if (bind(fd.get(), any_port.data(), any_port.size()) != 0) {
    throw std::runtime_error("cannot bind");
  }
  return SocketAddress::local_of(fd.get()).port();
}

bool eventually(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + kDeadline;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace skiff::forwarder::testing
