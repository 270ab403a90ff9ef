#include "registry/application/metadata_client.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

#include "dubbo/frame.h"
#include "dubbo/url.h"
#include "registry/application/metadata_call.h"
#include "registry/socket_address.h"

namespace skiff::registry {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::uint64_t kRequestId = 1;  // the only one of its connection

Error failed(const std::string& address, const std::string& why) {
  return {ErrorCode::kUnavailable, address + ": " + why};
}

}  // namespace

// One call; its socket is closed with it. Made on the control thread, then the client's thread's.
class MetadataClient::Attempt {
 public:
  Attempt(MetadataCall call, Callback done)
      : call_(std::move(call)), done_(std::move(done)), out_(metadata_request(call_, kRequestId)) {}
  ~Attempt() {
    if (fd_ >= 0) close(fd_);
  }
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  void set_deadline(Clock::time_point deadline) { deadline_ = deadline; }
  int fd() const { return fd_; }
  short events() const { return static_cast<short>(sent_ == out_.size() ? POLLIN : POLLOUT); }
  Clock::time_point deadline() const { return deadline_; }
  Callback take_callback() { return std::move(done_); }

  // Does what can be done without waiting; empty: not decided yet.
  std::optional<Result<MetadataInfo>> step(Clock::time_point now) {
    std::optional<Result<MetadataInfo>> result;
    if (fd_ < 0) result = open();
    if (!result && sent_ < out_.size()) result = send_request();
    if (!result && sent_ == out_.size()) result = read_answer();
    if (!result && now >= deadline_) result = failure("no answer in time");
    return result;
  }

 private:
  Result<MetadataInfo> failure(const std::string& why) const {
    return tl::unexpected<Error>(failed(call_.address, why));
  }
  Result<MetadataInfo> failure(int error) const {
    return failure(std::generic_category().message(error));
  }

  std::optional<Result<MetadataInfo>> open() {
    const auto host_port = dubbo::parse_host_port(call_.address);
    const auto ip = host_port ? IpAddress::parse(host_port->host) : std::nullopt;
    if (!ip || host_port->port == 0) return failure("expected a numeric address with a port");
    const SocketAddress address(*ip, host_port->port);
    fd_ = socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd_ < 0) return failure(errno);
    if (connect(fd_, address.get(), address.size) == 0 || errno == EINPROGRESS) return std::nullopt;
    return failure(errno);
  }

  std::optional<Result<MetadataInfo>> send_request() {
    pollfd ready{.fd = fd_, .events = POLLOUT, .revents = 0};
    if (poll(&ready, 1, 0) != 1) return std::nullopt;
    int error = 0;
    socklen_t size = sizeof(error);
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return failure(error);
    const ssize_t sent = send(fd_, out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return failure(errno);
    if (sent > 0) sent_ += static_cast<std::size_t>(sent);
    return std::nullopt;
  }

  // Not more than some pieces at a time: others wait, and this one has a deadline, too.
  std::optional<Result<MetadataInfo>> read_answer() {
    constexpr std::size_t kPiece = std::size_t{64} * 1024;
    constexpr int kPiecesAtATime = 16;
    std::array<std::byte, kPiece> piece;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled
    for (int i = 0; i < kPiecesAtATime; ++i) {
      const ssize_t got = recv(fd_, piece.data(), piece.size(), MSG_DONTWAIT);
      if (got < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
      if (got < 0) return failure(errno);
      if (got == 0) return failure("it closed the connection");
      in_.insert(in_.end(), piece.begin(), piece.begin() + got);
      if (auto result = take_frames()) return result;
    }
    return std::nullopt;
  }

  // Passes over what else a provider may say: heartbeats, READONLY, calls of its own.
  std::optional<Result<MetadataInfo>> take_frames() {
    std::size_t taken = 0;
    while (true) {
      const dubbo::Bytes rest = dubbo::Bytes(in_).subspan(taken);
      const auto header = dubbo::parse_frame_header(rest, kMaxMetadataBytes);
      if (!header && header.error().code != ErrorCode::kIncomplete) {
        return tl::unexpected<Error>(
            Error{header.error().code, call_.address + ": " + header.error().message});
      }
      if (!header || rest.size() - dubbo::FrameHeader::kSize < header->body_size) break;
      const dubbo::Bytes body = rest.subspan(dubbo::FrameHeader::kSize, header->body_size);
      if (!header->is_request && !header->is_event && header->request_id == kRequestId) {
        return parsed(*header, body);
      }
      taken += dubbo::FrameHeader::kSize + header->body_size;
    }
    in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(taken));
    return std::nullopt;
  }

  Result<MetadataInfo> parsed(const dubbo::FrameHeader& header, dubbo::Bytes body) const {
    auto info = parse_metadata_answer(header, body, call_.revision);
    if (info) return info;
    return tl::unexpected<Error>(
        Error{info.error().code, call_.address + ": " + info.error().message});
  }

  const MetadataCall call_;
  Callback done_;
  const std::vector<std::byte> out_;
  Clock::time_point deadline_ = Clock::time_point::max();
  int fd_ = -1;
  std::size_t sent_ = 0;
  std::vector<std::byte> in_;
};

MetadataClient::MetadataClient(Executor& executor, milliseconds limit)
    : executor_(executor), limit_(limit), wake_up_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

MetadataClient::~MetadataClient() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  eventfd_write(wake_up_, 1);
  if (thread_.joinable()) thread_.join();
  if (wake_up_ >= 0) close(wake_up_);
}

void MetadataClient::call(MetadataCall call, Callback done) {
  {
    const std::lock_guard lock(mutex_);
    asked_.push_back(std::make_unique<Attempt>(std::move(call), std::move(done)));
  }
  if (!thread_.joinable()) {
    thread_ = std::thread([this] { run(); });
    pthread_setname_np(thread_.native_handle(), "skiff-metadata");
  }
  eventfd_write(wake_up_, 1);
}

void MetadataClient::run() {
  Attempts attempts;
  while (take_asked(attempts)) {
    step(attempts);
    wait(attempts);
  }
}

bool MetadataClient::take_asked(Attempts& attempts) {
  const std::lock_guard lock(mutex_);
  while (!asked_.empty() && attempts.size() < kMaxMetadataCallsUnderWay) {
    attempts.push_back(std::move(asked_.front()));
    attempts.back()->set_deadline(Clock::now() + limit_);
    asked_.pop_front();
  }
  return !stopping_;
}

void MetadataClient::wait(const Attempts& attempts) const {
  const milliseconds idle(wake_up_ >= 0 ? 60'000 : 100);
  std::vector<pollfd> ready = {{.fd = wake_up_, .events = POLLIN, .revents = 0}};
  Clock::time_point until = Clock::now() + idle;
  for (const auto& attempt : attempts) {
    ready.push_back({.fd = attempt->fd(), .events = attempt->events(), .revents = 0});
    until = std::min(until, attempt->deadline());
  }
  const auto left = std::chrono::ceil<milliseconds>(until - Clock::now());
  poll(ready.data(), ready.size(), static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
  eventfd_t ignored = 0;
  eventfd_read(wake_up_, &ignored);
}

// Where one ended, the next may begin: the thread wakes itself.
void MetadataClient::step(Attempts& attempts) {
  const Clock::time_point now = Clock::now();
  const std::size_t ended = std::erase_if(attempts, [&](const std::unique_ptr<Attempt>& attempt) {
    auto result = attempt->step(now);
    if (!result) return false;
    executor_.post([done = attempt->take_callback(), result = std::move(*result)]() mutable {
      done(std::move(result));
    });
    return true;
  });
  if (ended != 0) eventfd_write(wake_up_, 1);
}

}  // namespace skiff::registry
