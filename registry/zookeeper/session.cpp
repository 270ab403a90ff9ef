#include "registry/zookeeper/session.h"

#include <spdlog/spdlog.h>
#include <zookeeper/zookeeper.h>

#include <utility>

namespace skiff::registry {
namespace {

constexpr std::chrono::milliseconds kFirstReopenPause{500};
constexpr std::chrono::milliseconds kLongestReopenPause{30'000};
constexpr std::chrono::milliseconds kWatchInterval{500};

std::string hexadecimal(std::int64_t session_id) {
  return fmt::format("0x{:x}", static_cast<std::uint64_t>(session_id));
}

}  // namespace

Session::Session(ZookeeperAddress address, Executor& executor, SessionEvents& events)
    : address_(std::move(address)),
      executor_(executor),
      events_(events),
      mailbox_(std::make_shared<ClientMailbox>(executor, alive_.guard([this] { drain(); }))),
      backoff_(kFirstReopenPause, kLongestReopenPause),
      lifecycle_("skiff-zk-open") {}

Session::~Session() {
  lifecycle_.stop();
  handle_.reset();
  mailbox_->close();
}

void Session::start() {
  down_since_ = Clock::now();
  open_handle(Take::kSameSession);
  watch_over_connection();
}

void Session::open_handle(Take take) {
  ++generation_;
  if (take == Take::kNewSession) session_ = {};
  std::optional<SessionTicket> ticket;
  if (session_.id != 0) ticket = session_;
  lifecycle_.post([address = address_, ticket, generation = generation_, mailbox = mailbox_] {
    auto opened = ClientHandle::open(address, ticket, generation, mailbox);
    ClientEvent event;
    event.kind = ClientEvent::Kind::kOpened;
    event.generation = generation;
    if (opened) {
      event.handle = std::move(*opened);
    } else {
      event.text = std::move(opened.error().message);
    }
    mailbox->put(std::move(event));
  });
}

void Session::replace_handle(const std::string& why, std::chrono::milliseconds pause, Take take) {
  callbacks_.clear();
  unreported_.reset();
  ++generation_;  // what the old handle still has to say is of no interest
  // On its own thread: closing waits for the server's answer and for the client's threads.
  lifecycle_.post([old = std::exchange(handle_, nullptr)]() mutable { old.reset(); });
  set_down(why);
  if (take == Take::kNewSession) down_since_ = Clock::now();
  associating_since_.reset();
  executor_.post_after(pause, alive_.guard([this, take] {
    if (!has_left_) open_handle(take);
  }));
}

void Session::leave(std::function<void()> done) {
  has_left_ = true;
  callbacks_.clear();
  unreported_.reset();
  associating_since_.reset();
  ++generation_;  // what the handle still has to say is of no interest
  const auto then = alive_.guard([done = std::move(done)] { done(); });
  lifecycle_.post([old = std::exchange(handle_, nullptr), &executor = executor_, then]() mutable {
    if (old != nullptr) old->leave();
    old.reset();
    executor.post(then);
  });
  set_down("its session is handed over to another process");
}

void Session::return_to_it() {
  if (!std::exchange(has_left_, false)) return;
  down_since_ = Clock::now();
  open_handle(Take::kSameSession);
}

void Session::set_down(const std::string& why) {
  if (std::exchange(connected_, false)) down_since_ = Clock::now();
  if (std::exchange(detail_, why) == why) return;
  events_.on_session_down(why);
}

// Also drains the mailbox: its posted task is lost where the executor's queue was full.
void Session::watch_over_connection() {
  drain();
  if (!connected_ && handle_ != nullptr) check_connection();
  executor_.post_after(kWatchInterval, alive_.guard([this] { watch_over_connection(); }));
}

void Session::check_connection() {
  const Clock::time_point now = Clock::now();
  const auto limit = address_.session_timeout * kGiveUpTimeouts;
  if (now - down_since_ >= limit) {
    spdlog::warn("registry {}: no connection for {} ms; beginning anew", address_.name(),
                 limit.count());
    replace_handle("no server of " + address_.connect_string() + " has answered for " +
                       std::to_string(limit.count()) + " ms; still trying",
                   std::chrono::milliseconds(0), Take::kSameSession);
    down_since_ = now;
  } else if (!handle_->is_associating()) {
    associating_since_.reset();
  } else if (!associating_since_) {
    associating_since_ = now;
  } else if (now - *associating_since_ >= kGreetingLimit) {
    replace_handle("a server of " + address_.connect_string() +
                       " accepts connections but does not answer; still trying",
                   std::chrono::milliseconds(0), Take::kSameSession);
  }
}

void Session::drain() {
  for (ClientEvent& event : mailbox_->take()) handle_event(event);
}

void Session::handle_event(ClientEvent& event) {
  if (event.generation != generation_) {
    if (event.handle != nullptr) {
      // It may be connected with the session by now, which is another handle's, or process's.
      lifecycle_.post([old = std::move(event.handle)]() mutable {
        old->leave();
        old.reset();
      });
    }
    return;
  }
  switch (event.kind) {
    case ClientEvent::Kind::kOpened:
      on_opened(event);
      break;
    case ClientEvent::Kind::kSession:
      on_state(event);
      break;
    case ClientEvent::Kind::kWatch:
      events_.on_node_changed(event.text, event.at);
      break;
    case ClientEvent::Kind::kCompletion:
      on_completion(event);
      break;
  }
}

void Session::on_opened(ClientEvent& event) {
  if (event.handle == nullptr) {
    replace_handle(event.text, backoff_.next(), Take::kSameSession);
    return;
  }
  handle_ = std::move(event.handle);
  if (!connected_) {
    set_down("connecting to " + address_.connect_string());
    return;
  }
  // The client's thread was faster: its connection is reported now that there is a handle to use.
  report_up();
}

void Session::on_state(const ClientEvent& event) {
  if (event.state == ZOO_CONNECTED_STATE) {
    if (!unreported_) unreported_ = start_of(event);
    session_generation_ = generation_;
    session_ = event.session;
    connected_ = true;
    backoff_.reset();
    detail_ = "connected to " + event.text + ", session " + hexadecimal(event.session.id);
    if (handle_ != nullptr) report_up();
  } else if (event.state == ZOO_EXPIRED_SESSION_STATE) {
    replace_handle("session " + hexadecimal(session_.id) + " has expired; opening a new one",
                   std::chrono::milliseconds(0), Take::kNewSession);
  } else if (event.state == ZOO_AUTH_FAILED_STATE) {
    replace_handle("the server refuses the credentials of user \"" + address_.username + "\"",
                   backoff_.next(), Take::kSameSession);
  } else {
    // Connecting, associating, read-only, and states without a name: nothing can be done in any.
    set_down("no connection to " + address_.connect_string() + "; trying to reach it");
  }
}

SessionStart Session::start_of(const ClientEvent& connected) const {
  if (session_.id != connected.session.id) return SessionStart::kNew;
  return session_generation_ == generation_ ? SessionStart::kResumed : SessionStart::kTakenUp;
}

void Session::report_up() {
  events_.on_session_up(*std::exchange(unreported_, std::nullopt), detail_);
}

void Session::on_completion(ClientEvent& event) {
  if (handle_ != nullptr) handle_->forget(event.operation);
  auto callback = callbacks_.extract(event.operation);
  if (callback.empty()) return;
  callback.mapped()({.rc = event.rc,
                     .owner_session = event.owner_session,
                     .names = std::move(event.names),
                     .created_at_ms = event.created_at_ms,
                     .data = std::move(event.data),
                     .version = event.version});
}

void Session::remember(std::uint64_t operation, Callback done) {
  callbacks_.emplace(operation, std::move(done));
}

void Session::create(const std::string& path, const std::string& data, bool ephemeral,
                     Callback done) {
  remember(handle_->create(path, data, ephemeral), std::move(done));
}

void Session::remove(const std::string& path, Callback done) {
  remember(handle_->remove(path), std::move(done));
}

void Session::find_owner(const std::string& path, Callback done) {
  remember(handle_->exists(path, false), std::move(done));
}

void Session::list(const std::string& path, Callback done) {
  remember(handle_->list(path), std::move(done));
}

void Session::read(const std::string& path, bool watch, Callback done) {
  remember(handle_->read(path, watch), std::move(done));
}

void Session::write(const std::string& path, const std::string& data, std::int32_t version,
                    Callback done) {
  remember(handle_->write(path, data, version), std::move(done));
}

void Session::await_creation(const std::string& path, Callback done) {
  remember(handle_->exists(path, true), std::move(done));
}

void Session::unwatch(const std::string& path, Callback done) {
  remember(handle_->unwatch(path), std::move(done));
}

}  // namespace skiff::registry
