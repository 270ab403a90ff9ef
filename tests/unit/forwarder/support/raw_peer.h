#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dubbo/frame.h"
#include "forwarder/socket.h"

namespace skiff::forwarder::testing {

inline constexpr std::chrono::seconds kDeadline{10};

// A request as a hessian2 consumer writes it; texts shorter than 32 characters.
struct RequestSpec {
  std::uint64_t id = 1;
  std::string interface = "a.Service";
  std::string version = "";
  std::string method = "hi";
  std::string argument = "x";
  std::map<std::string, std::string> attachments = {};
  std::map<std::string, std::uint8_t> number_attachments = {};  // ints
  bool two_way = true;
};
std::string request_frame(const RequestSpec& spec);
// The header of a two-way request and `body_size` bytes that mean nothing.
std::string oversized_request_frame(std::uint64_t id, std::uint32_t body_size);
// Headers alone, which promise a body of `body_size` bytes.
std::string request_header(std::uint64_t id, std::uint32_t body_size);
std::string response_header(std::uint64_t id, std::uint32_t body_size);
// A response with status 20 and a string value.
std::string response_frame(std::uint64_t id, const std::string& value);
std::string heartbeat_frame(std::uint64_t id);
std::string heartbeat_answer(std::uint64_t id);
std::string readonly_frame();

// A whole frame as a test sees it.
struct ReceivedFrame {
  dubbo::FrameHeader header;
  std::string bytes;
  std::string body() const { return bytes.substr(dubbo::FrameHeader::kSize); }
};

// A blocking socket whose reads give up at kDeadline.
class RawPeer {
 public:
  static RawPeer connect(std::uint16_t port);
  // The same in two steps: the second one needs no descriptor more.
  static RawPeer unconnected();
  void connect_to(std::uint16_t port);
  explicit RawPeer(Fd fd);

  void send(std::string_view bytes);
  // Sends what the kernel takes without waiting; returns how much that was.
  std::size_t send_what_fits(std::string_view bytes);
  // The next frame; nullopt at the end of the stream, or at the deadline.
  std::optional<ReceivedFrame> receive();
  // True when the other side closes (before the deadline) without sending anything more.
  bool sees_end();
  // Whether bytes have come that receive() has not returned yet.
  bool has_input();
  // Reads so many bytes, which receive() then does not see; false at the end of the stream, or at
  // the deadline.
  bool skip(std::size_t bytes);
  void close() { fd_.reset(); }
  // Closes with a reset, not with an end of the stream.
  void reset();
  int fd() const { return fd_.get(); }

 private:
  bool read_more();

  Fd fd_;
  std::string buffer_;
};

// A listening socket on a free loopback port.
class RawListener {
 public:
  // On any free port, or on one that a listener before it had.
  explicit RawListener(std::uint16_t port = 0);
  std::uint16_t port() const { return port_; }
  RawPeer accept();
  void close() { fd_.reset(); }
  int fd() const { return fd_.get(); }

 private:
  Fd fd_;
  std::uint16_t port_ = 0;
};

// A listening socket whose queue is full: who connects hears nothing, as behind a firewall.
class FullListener {
 public:
  FullListener();
  std::uint16_t port() const { return port_; }

 private:
  Fd fd_;
  std::uint16_t port_ = 0;
  std::vector<Fd> queue_;
};

// A port on which nobody listens while this process runs. For one thread.
std::uint16_t closed_port();

// Waits until `condition` holds; false at kDeadline.
bool eventually(const std::function<bool()>& condition);

}  // namespace skiff::forwarder::testing
