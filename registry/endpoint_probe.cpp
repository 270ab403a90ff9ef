#include "registry/endpoint_probe.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <utility>

#include "dubbo/down_question.h"
#include "dubbo/frame.h"
#include "dubbo/response.h"
#include "dubbo/url.h"
#include "registry/socket_address.h"

namespace skiff::registry {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

std::optional<SocketAddress> parse_address(const std::string& text) {
  const auto host_port = dubbo::parse_host_port(text);
  const auto ip = host_port ? IpAddress::parse(host_port->host) : std::nullopt;
  if (!ip || host_port->port == 0) return std::nullopt;
  return SocketAddress(*ip, host_port->port);
}

// What an error of a connection says of the provider. A network that is away says nothing at once.
ProbeResult meaning_of(int error) {
  return error == ECONNREFUSED ? ProbeResult::kGone : ProbeResult::kSilent;
}

}  // namespace

// One probe; its socket is closed with it. Made on the control thread, then the probe thread's.
class EndpointProbe::Attempt {
 public:
  Attempt(std::string address, std::vector<std::string> services, Clock::time_point deadline,
          Callback done)
      : address_(std::move(address)),
        services_(std::move(services)),
        deadline_(deadline),
        done_(std::move(done)) {}
  ~Attempt() {
    if (fd_ >= 0) close(fd_);
  }
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  int fd() const { return fd_; }
  short events() const { return static_cast<short>(is_asked_ ? POLLIN : POLLOUT); }
  Clock::time_point deadline() const { return deadline_; }
  Callback take_callback() { return std::move(done_); }

  // Does what can be done without waiting; empty: not decided yet.
  std::optional<ProbeResult> step(Clock::time_point now) {
    std::optional<ProbeResult> result;
    if (fd_ < 0) result = open();
    if (!result && !is_asked_) result = ask();
    if (!result && is_asked_) result = read_answer();
    if (!result && now >= deadline_) result = ended();
    return result;
  }
  std::set<std::string> take_down() { return std::move(down_); }

 private:
  std::optional<ProbeResult> open() {
    const auto address = parse_address(address_);
    if (!address) return ProbeResult::kUnknown;
    fd_ = socket(address->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd_ < 0) return ProbeResult::kUnknown;
    if (connect(fd_, address->get(), address->size) == 0 || errno == EINPROGRESS)
      return std::nullopt;
    return errno == EADDRNOTAVAIL ? ProbeResult::kUnknown : meaning_of(errno);
  }

  // Sends the heartbeat once the connection stands.
  std::optional<ProbeResult> ask() {
    pollfd ready{.fd = fd_, .events = POLLOUT, .revents = 0};
    if (poll(&ready, 1, 0) != 1) return std::nullopt;
    int error = 0;
    socklen_t size = sizeof(error);
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return meaning_of(error);
    std::vector<std::byte> question;
    if (services_.empty()) {
      dubbo::append_heartbeat_request(kRequestId, question);
    } else {
      dubbo::append_down_question(kRequestId, services_, question);
    }
    // A new connection takes these few bytes at once, or is broken.
    const ssize_t sent = send(fd_, question.data(), question.size(), MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(question.size())) return ProbeResult::kSilent;
    is_asked_ = true;
    return std::nullopt;
  }

  // Where no services are asked for, any frame will do: a provider may have something of its own to
  // say first.
  std::optional<ProbeResult> read_answer() {
    std::array<std::byte, kReadBytes> piece{};
    const ssize_t got = recv(fd_, piece.data(), piece.size(), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
    if (got <= 0) return ended();
    input_.insert(input_.end(), piece.begin(), piece.begin() + got);
    if (!dubbo::starts_like_a_frame(input_)) return ProbeResult::kGone;
    while (input_.size() >= dubbo::FrameHeader::kSize) {
      answers_ = true;
      const auto header = dubbo::parse_frame_header(input_, kMaxFrameBytes);
      if (services_.empty() || !header) return ProbeResult::kAnswers;
      const std::size_t size = dubbo::FrameHeader::kSize + header->body_size;
      if (input_.size() < size) break;
      if (header->is_event && !header->is_request && header->request_id == kRequestId) {
        for (std::string& service : dubbo::parse_down_answer(
                 dubbo::Bytes(input_).subspan(dubbo::FrameHeader::kSize, header->body_size))) {
          down_.insert(std::move(service));
        }
        return ProbeResult::kAnswers;
      }
      input_.erase(input_.begin(), input_.begin() + static_cast<std::ptrdiff_t>(size));
    }
    return std::nullopt;
  }

  // Nothing more is to come.
  ProbeResult ended() const { return answers_ ? ProbeResult::kAnswers : ProbeResult::kSilent; }

  static constexpr std::uint64_t kRequestId = 1;
  static constexpr std::size_t kReadBytes = 4096;
  // Of what a provider says by itself, and of the answer; others say no more than that it lives.
  static constexpr std::uint32_t kMaxFrameBytes = 2 * dubbo::kMaxDownQuestionBytes;

  const std::string address_;
  const std::vector<std::string> services_;
  const Clock::time_point deadline_;
  Callback done_;
  int fd_ = -1;
  bool is_asked_ = false;
  bool answers_ = false;  // with whatever frame
  std::vector<std::byte> input_;
  std::set<std::string> down_;
};

EndpointProbe::EndpointProbe(Executor& executor, milliseconds limit)
    : executor_(executor), limit_(limit), wake_up_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

EndpointProbe::~EndpointProbe() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  eventfd_write(wake_up_, 1);
  if (thread_.joinable()) thread_.join();
  if (wake_up_ >= 0) close(wake_up_);
}

void EndpointProbe::probe(const std::string& address, const std::set<std::string>& services,
                          Callback done) {
  {
    const std::lock_guard lock(mutex_);
    asked_.push_back(std::make_unique<Attempt>(
        address, std::vector<std::string>(services.begin(), services.end()), Clock::now() + limit_,
        std::move(done)));
  }
  if (!thread_.joinable()) {
    thread_ = std::thread([this] { run(); });
    pthread_setname_np(thread_.native_handle(), "skiff-probe");
  }
  eventfd_write(wake_up_, 1);
}

void EndpointProbe::run() {
  Attempts attempts;
  while (take_asked(attempts)) {
    step(attempts);
    wait(attempts);
  }
}

bool EndpointProbe::take_asked(Attempts& attempts) {
  const std::lock_guard lock(mutex_);
  std::move(asked_.begin(), asked_.end(), std::back_inserter(attempts));
  asked_.clear();
  return !stopping_;
}

void EndpointProbe::wait(const Attempts& attempts) const {
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

void EndpointProbe::step(Attempts& attempts) {
  const Clock::time_point now = Clock::now();
  std::erase_if(attempts, [&](const std::unique_ptr<Attempt>& attempt) {
    const auto result = attempt->step(now);
    if (!result) return false;
    executor_.post([done = attempt->take_callback(),
                    report = ProbeReport{*result, attempt->take_down()}] { done(report); });
    return true;
  });
}

}  // namespace skiff::registry
