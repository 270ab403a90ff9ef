#include "forwarder/listener.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstdint>

#include "forwarder/limits.h"

namespace skiff::forwarder {

Listener::Listener(WorkerContext& context, Fd fd, bool local_only, Accept accept)
    : context_(context),
      fd_(std::move(fd)),
      local_only_(local_only),
      accept_(std::move(accept)),
      retry_([](void* self) { static_cast<Listener*>(self)->on_events(0); }, this) {}

Listener::~Listener() { context_.loop.forget(*this); }

Result<void> Listener::start() { return context_.loop.add(fd_.get(), *this); }

void Listener::on_events(std::uint32_t /*events*/) {
  if (accept_up_to(limits::kAcceptsPerTurnMax)) context_.loop.revisit(*this);
}

void Listener::stop() {
  if (!fd_.valid()) return;
  accept_up_to(SIZE_MAX);
  pause();  // the kernel would go on telling of it where somebody has a duplicate
  fd_.reset();
}

void Listener::pause() {
  if (!fd_.valid()) return;
  context_.loop.remove(fd_.get());
  context_.loop.forget(*this);
  retry_.cancel();
}

void Listener::leave_to_successor() { fd_.reset(); }

bool Listener::accept_up_to(std::size_t most) {
  for (std::size_t accepted = 0; fd_.valid() && accepted < most; ++accepted) {
    Fd socket(accept4(fd_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket.valid()) {
      if (peer_is_allowed(socket)) accept_(std::move(socket));
      continue;
    }
    if (errno == EAGAIN) return false;
    if (errno == EINTR || errno == ECONNABORTED) continue;
    // Out of descriptors or memory: the connections wait in the kernel's queue until the next try.
    context_.counters.add(Counter::kAcceptFailures);
    context_.log.warn(LogKind::kAcceptFailed, context_.loop.now(),
                      "cannot accept connections: " + errno_text(errno) +
                          "; raise the limit of open files (LimitNOFILE)");
    context_.loop.arm(retry_, limits::kAcceptPause);
    return false;
  }
  return fd_.valid();
}

bool Listener::peer_is_allowed(const Fd& socket) {
  if (!local_only_) return true;
  const SocketAddress peer = SocketAddress::peer_of(socket.get());
  if (peer.is_loopback() || peer.same_host(SocketAddress::local_of(socket.get()))) return true;
  context_.counters.add(Counter::kOutboundForeign);
  context_.log.warn(LogKind::kForeignPeer, context_.loop.now(),
                    "closed a connection from " + peer.to_string() +
                        " to the outbound port: it serves only this machine; give --outbound an "
                        "address to serve others");
  return false;
}

}  // namespace skiff::forwarder
