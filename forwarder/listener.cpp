#include "forwarder/listener.h"

#include <sys/socket.h>

#include <cerrno>

#include "forwarder/limits.h"

namespace skiff::forwarder {

Listener::Listener(WorkerContext& context, Fd fd, bool local_only, Accept accept)
    : context_(context),
      fd_(std::move(fd)),
      local_only_(local_only),
      accept_(std::move(accept)),
      retry_([](void* self) { static_cast<Listener*>(self)->accept_all(); }, this) {}

Listener::~Listener() { context_.loop.forget(*this); }

Result<void> Listener::start() { return context_.loop.add(fd_.get(), *this); }

void Listener::on_events(std::uint32_t /*events*/) { accept_all(); }

void Listener::stop() {
  if (!fd_.valid()) return;
  accept_all();
  retry_.cancel();
  fd_.reset();
}

void Listener::accept_all() {
  while (fd_.valid()) {
    Fd socket(accept4(fd_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket.valid()) {
      if (peer_is_allowed(socket)) accept_(std::move(socket));
      continue;
    }
    if (errno == EAGAIN) return;
    if (errno == EINTR || errno == ECONNABORTED) continue;
    // Out of descriptors or memory: the connections wait in the kernel's queue until the next try.
    context_.counters.add(Counter::kAcceptFailures);
    context_.log.warn(LogKind::kAcceptFailed, context_.loop.now(),
                      "cannot accept connections: " + errno_text(errno) +
                          "; raise the limit of open files (LimitNOFILE)");
    context_.loop.arm(retry_, limits::kAcceptPause);
    return;
  }
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
