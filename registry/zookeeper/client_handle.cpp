#include "registry/zookeeper/client_handle.h"

#include <sys/socket.h>
#include <zookeeper/zookeeper.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <mutex>
#include <system_error>
#include <utility>

#include "registry/ip_address.h"
#include "registry/zookeeper/client_log.h"

namespace skiff::registry {
namespace {

// The client resolves host names again before every poll of its socket unless told otherwise.
constexpr int kResolutionDelayMs = 60'000;

std::string connected_server(zhandle_t* handle) {
  sockaddr_storage storage{};
  socklen_t size = sizeof(storage);
  sockaddr* peer = zookeeper_get_connected_host(handle, reinterpret_cast<sockaddr*>(&storage),
                                                &size);  // the socket interface's own idiom
  const auto address = IpAddress::from(peer);
  return address ? address->to_string() : std::string("a server");
}

}  // namespace

void ClientMailbox::put(ClientEvent event) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    events_.push_back(std::move(event));
    if (std::exchange(drain_is_posted_, true)) return;
  }
  executor_.post(drain_);
}

std::vector<ClientEvent> ClientMailbox::take() {
  const std::lock_guard lock(mutex_);
  drain_is_posted_ = false;
  return std::exchange(events_, {});
}

void ClientMailbox::close() {
  std::vector<ClientEvent> dropped;  // outside the lock: one may own a handle, which closes
  const std::lock_guard lock(mutex_);
  closed_ = true;
  dropped.swap(events_);
}

// On the C client's threads, or on the one that closes the handle. They touch nothing of a
// ClientHandle but its constants.
struct ClientHandle::Callbacks {
  static ClientEvent event(const ClientHandle& handle, ClientEvent::Kind kind) {
    ClientEvent event;
    event.kind = kind;
    event.generation = handle.generation_;
    event.at = std::chrono::steady_clock::now();
    return event;
  }

  static ClientEvent completion(const void* data, int rc) {
    const auto* operation = static_cast<const Operation*>(data);
    ClientEvent result = event(*operation->handle, ClientEvent::Kind::kCompletion);
    result.operation = operation->number;
    result.rc = rc;
    return result;
  }

  static void put(const void* data, ClientEvent event) {
    static_cast<const Operation*>(data)->handle->mailbox_->put(std::move(event));
  }

  static void on_session(zhandle_t* handle, int type, int state, const char* /*path*/,
                         void* context) {
    if (type != ZOO_SESSION_EVENT) return;
    const auto& self = *static_cast<const ClientHandle*>(context);
    ClientEvent result = event(self, ClientEvent::Kind::kSession);
    result.state = state;
    if (state == ZOO_CONNECTED_STATE) {
      const clientid_t& id = *zoo_client_id(handle);
      result.session.id = id.client_id;
      std::copy(std::begin(id.passwd), std::end(id.passwd), result.session.password.begin());
      result.text = connected_server(handle);
    }
    self.mailbox_->put(std::move(result));
  }

  // Every watch hears of session changes, too; on_session() sees to those.
  static void on_watch(zhandle_t* /*handle*/, int type, int /*state*/, const char* path,
                       void* context) {
    if (type == ZOO_SESSION_EVENT) return;
    const auto& self = *static_cast<const ClientHandle*>(context);
    ClientEvent result = event(self, ClientEvent::Kind::kWatch);
    result.text = path;
    self.mailbox_->put(std::move(result));
  }

  static void on_void(int rc, const void* data) { put(data, completion(data, rc)); }

  static void on_string(int rc, const char* /*value*/, const void* data) {
    put(data, completion(data, rc));
  }

  static void on_stat(int rc, const Stat* stat, const void* data) {
    ClientEvent result = completion(data, rc);
    if (rc == ZOK && stat != nullptr) {
      result.owner_session = stat->ephemeralOwner;
      result.created_at_ms = stat->ctime;
      result.version = stat->version;
    }
    put(data, std::move(result));
  }

  static void on_strings(int rc, const String_vector* strings, const void* data) {
    ClientEvent result = completion(data, rc);
    if (rc == ZOK && strings != nullptr) {
      result.names.assign(strings->data, strings->data + strings->count);
    }
    put(data, std::move(result));
  }

  static void on_data(int rc, const char* value, int size, const Stat* stat, const void* data) {
    ClientEvent result = completion(data, rc);
    if (rc == ZOK && stat != nullptr) {
      result.owner_session = stat->ephemeralOwner;
      result.created_at_ms = stat->ctime;
      result.version = stat->version;
    }
    if (rc == ZOK && value != nullptr && size > 0) {
      result.data.assign(value, static_cast<std::size_t>(size));
    }
    put(data, std::move(result));
  }
};

Result<std::shared_ptr<ClientHandle>> ClientHandle::open(const ZookeeperAddress& address,
                                                         const std::optional<SessionTicket>& ticket,
                                                         std::uint64_t generation,
                                                         std::shared_ptr<ClientMailbox> mailbox) {
  static std::once_flag set_level;
  std::call_once(set_level, [] { zoo_set_debug_level(ZOO_LOG_LEVEL_INFO); });

  const bool authenticates = !address.username.empty();
  std::shared_ptr<ClientHandle> client(
      new ClientHandle(generation, std::move(mailbox), authenticates));
  clientid_t id{};
  if (ticket) {
    id.client_id = ticket->id;
    std::copy(ticket->password.begin(), ticket->password.end(), std::begin(id.passwd));
  }
  errno = 0;
  client->handle_ =
      zookeeper_init2(address.connect_string().c_str(), &Callbacks::on_session,
                      static_cast<int>(address.session_timeout.count()), ticket ? &id : nullptr,
                      client.get(), ZOO_NO_LOG_CLIENTENV, &log_client_line);
  if (client->handle_ == nullptr) {
    const int error = errno;
    return fail(ErrorCode::kUnavailable, "cannot use " + address.connect_string() + ": " +
                                             std::generic_category().message(error));
  }
  zoo_set_servers_resolution_delay(client->handle_, kResolutionDelayMs);
  if (authenticates) {
    const std::string credentials = address.username + ":" + address.password;
    zoo_add_auth(client->handle_, "digest", credentials.data(),
                 static_cast<int>(credentials.size()), nullptr, nullptr);
  }
  return client;
}

// Closing a handle that is connected closes its session, and no call closes the connection alone.
// But a client whose list of servers changes drops its connection at once where the list has not
// the IP address that it is connected to. This one, a loopback address too, is nobody's.
void ClientHandle::leave() { zoo_set_servers(handle_, "127.255.255.254:1"); }

ClientHandle::~ClientHandle() {
  // Joins the client's threads; completions that are still due come during this call.
  if (handle_ != nullptr) zookeeper_close(handle_);
}

std::uint64_t ClientHandle::submit(const std::function<int(const Operation*)>& call) {
  const std::uint64_t number = next_operation_++;
  const Operation* operation = &operations_.emplace(number, Operation{this, number}).first->second;
  if (const int rc = call(operation); rc != ZOK) {
    mailbox_->put(Callbacks::completion(operation, rc));
  }
  return number;
}

bool ClientHandle::is_associating() const { return zoo_state(handle_) == ZOO_ASSOCIATING_STATE; }

void ClientHandle::forget(std::uint64_t operation) { operations_.erase(operation); }

std::uint64_t ClientHandle::create(const std::string& path, const std::string& data,
                                   bool ephemeral) {
  return submit([&](const Operation* operation) {
    return zoo_acreate(handle_, path.c_str(), data.data(), static_cast<int>(data.size()),
                       authenticates_ ? &ZOO_CREATOR_ALL_ACL : &ZOO_OPEN_ACL_UNSAFE,
                       ephemeral ? ZOO_EPHEMERAL : ZOO_PERSISTENT, &Callbacks::on_string,
                       operation);
  });
}

std::uint64_t ClientHandle::remove(const std::string& path) {
  constexpr int kAnyVersion = -1;
  return submit([&](const Operation* operation) {
    return zoo_adelete(handle_, path.c_str(), kAnyVersion, &Callbacks::on_void, operation);
  });
}

std::uint64_t ClientHandle::exists(const std::string& path, bool watch) {
  return submit([&](const Operation* operation) {
    return zoo_awexists(handle_, path.c_str(), watch ? &Callbacks::on_watch : nullptr, this,
                        &Callbacks::on_stat, operation);
  });
}

std::uint64_t ClientHandle::list(const std::string& path) {
  return submit([&](const Operation* operation) {
    return zoo_awget_children(handle_, path.c_str(), &Callbacks::on_watch, this,
                              &Callbacks::on_strings, operation);
  });
}

std::uint64_t ClientHandle::read(const std::string& path, bool watch) {
  return submit([&](const Operation* operation) {
    return zoo_awget(handle_, path.c_str(), watch ? &Callbacks::on_watch : nullptr, this,
                     &Callbacks::on_data, operation);
  });
}

std::uint64_t ClientHandle::write(const std::string& path, const std::string& data,
                                  std::int32_t version) {
  return submit([&](const Operation* operation) {
    return zoo_aset(handle_, path.c_str(), data.data(), static_cast<int>(data.size()), version,
                    &Callbacks::on_stat, operation);
  });
}

std::uint64_t ClientHandle::unwatch(const std::string& path) {
  // Of the two functions, only the one for all watches makes the server forget them; the other asks
  // it merely whether there are any. `local` would complete a synchronous call that is none. And
  // the header says pointer to a function pointer where the library takes the function pointer.
  constexpr int kAtTheServer = 0;
  return submit([&](const Operation* operation) {
    return zoo_aremove_all_watches(handle_, path.c_str(), ZWATCHTYPE_ANY, kAtTheServer,
                                   reinterpret_cast<void_completion_t*>(&Callbacks::on_void),
                                   operation);
  });
}

}  // namespace skiff::registry
