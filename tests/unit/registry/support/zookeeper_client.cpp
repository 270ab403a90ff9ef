#include "support/zookeeper_client.h"

#include <zookeeper/zookeeper.h>

#include <array>
#include <chrono>
#include <stdexcept>

namespace skiff::registry {
namespace {

constexpr int kSessionTimeoutMs = 10'000;
constexpr std::chrono::seconds kConnectLimit{20};

void check(int rc, const std::string& what) {
  if (rc != ZOK) throw std::runtime_error(what + ": " + zerror(rc));
}

void ignore_line(const char* /*line*/) {}

// The password that the server gives a session: the first 16 bytes of java.util.Random, seeded with
// the session's id and a constant (ZooKeeperServer.generatePasswd in 3.8).
clientid_t client_id_of(std::int64_t session_id) {
  constexpr std::uint64_t kSecret = 0xB3415C00ULL;
  constexpr std::uint64_t kMultiplier = 0x5DEECE66DULL;
  constexpr std::uint64_t kMask = (1ULL << 48U) - 1;
  clientid_t id{};
  id.client_id = session_id;
  std::uint64_t seed = ((static_cast<std::uint64_t>(session_id) ^ kSecret) ^ kMultiplier) & kMask;
  for (std::size_t i = 0; i < sizeof(id.passwd); i += 4) {
    seed = (seed * kMultiplier + 0xBU) & kMask;
    const auto word = static_cast<std::uint32_t>(seed >> 16U);
    for (std::size_t byte = 0; byte < 4; ++byte) {
      id.passwd[i + byte] = static_cast<char>((word >> (8 * byte)) & 0xffU);
    }
  }
  return id;
}

struct ConnectionWait {
  std::mutex mutex;
  std::condition_variable changed;
  int state = 0;

  static void on_event(zhandle_t* /*handle*/, int type, int state, const char* /*path*/,
                       void* context) {
    if (type != ZOO_SESSION_EVENT) return;
    auto& self = *static_cast<ConnectionWait*>(context);
    const std::lock_guard lock(self.mutex);
    self.state = state;
    self.changed.notify_all();
  }
};

// False where the session is no more.
bool attach_and_close(const std::string& address, const clientid_t& id) {
  ConnectionWait wait;
  zhandle_t* handle = zookeeper_init2(address.c_str(), &ConnectionWait::on_event, kSessionTimeoutMs,
                                      &id, &wait, ZOO_NO_LOG_CLIENTENV, &ignore_line);
  bool attached = false;
  {
    std::unique_lock lock(wait.mutex);
    wait.changed.wait_for(lock, kConnectLimit, [&wait] {
      return wait.state == ZOO_CONNECTED_STATE || wait.state == ZOO_EXPIRED_SESSION_STATE;
    });
    attached = wait.state == ZOO_CONNECTED_STATE;
  }
  zookeeper_close(handle);
  return attached;
}

}  // namespace

ZookeeperClient::ZookeeperClient(const std::string& address, const std::string& credentials) {
  handle_ = zookeeper_init2(address.c_str(), &ZookeeperClient::on_event, kSessionTimeoutMs, nullptr,
                            this, ZOO_NO_LOG_CLIENTENV, &ignore_line);
  if (handle_ == nullptr) throw std::runtime_error("no handle for " + address);
  if (!credentials.empty()) {
    zoo_add_auth(handle_, "digest", credentials.data(), static_cast<int>(credentials.size()),
                 nullptr, nullptr);
  }
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, kConnectLimit, [this] { return connected_; })) {
    throw std::runtime_error("no connection to " + address);
  }
}

ZookeeperClient::~ZookeeperClient() { zookeeper_close(handle_); }

void ZookeeperClient::on_event(zhandle_t* /*handle*/, int type, int state, const char* /*path*/,
                               void* context) {
  if (type != ZOO_SESSION_EVENT || state != ZOO_CONNECTED_STATE) return;
  auto& self = *static_cast<ZookeeperClient*>(context);
  const std::lock_guard lock(self.mutex_);
  self.connected_ = true;
  self.changed_.notify_all();
}

std::int64_t ZookeeperClient::session_id() const { return zoo_client_id(handle_)->client_id; }

void ZookeeperClient::create(const std::string& path, bool ephemeral) {
  check(zoo_create(handle_, path.c_str(), "", 0, &ZOO_OPEN_ACL_UNSAFE,
                   ephemeral ? ZOO_EPHEMERAL : ZOO_PERSISTENT, nullptr, 0),
        "create " + path);
}

void ZookeeperClient::take_over(const std::string& path) {
  constexpr int kAnyVersion = -1;
  std::array<zoo_op_t, 2> operations{};
  zoo_delete_op_init(&operations[0], path.c_str(), kAnyVersion);
  zoo_create_op_init(&operations[1], path.c_str(), "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL,
                     nullptr, 0);
  std::array<zoo_op_result_t, 2> results{};
  check(zoo_multi(handle_, static_cast<int>(operations.size()), operations.data(), results.data()),
        "take over " + path);
}

void ZookeeperClient::create_all(const std::string& path) {
  for (auto slash = path.find('/', 1); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    if (!exists(path.substr(0, slash))) create(path.substr(0, slash));
  }
  create(path);
}

void ZookeeperClient::write(const std::string& path, const std::string& data) {
  if (!exists(path)) create_all(path);
  check(zoo_set(handle_, path.c_str(), data.data(), static_cast<int>(data.size()), -1),
        "set " + path);
}

void ZookeeperClient::remove(const std::string& path) {
  check(zoo_delete(handle_, path.c_str(), -1), "delete " + path);
}

std::optional<std::int64_t> ZookeeperClient::owner(const std::string& path) {
  Stat stat{};
  const int rc = zoo_exists(handle_, path.c_str(), 0, &stat);
  if (rc == ZNONODE) return std::nullopt;
  check(rc, "exists " + path);
  return stat.ephemeralOwner;
}

std::string ZookeeperClient::data(const std::string& path) {
  constexpr std::size_t kMaxBytes = std::size_t{1024} * 1024;
  std::vector<char> buffer(kMaxBytes);
  int size = static_cast<int>(buffer.size());
  check(zoo_get(handle_, path.c_str(), 0, buffer.data(), &size, nullptr), "get " + path);
  return {buffer.data(), static_cast<std::size_t>(size)};
}

std::int64_t ZookeeperClient::creation(const std::string& path) {
  Stat stat{};
  check(zoo_exists(handle_, path.c_str(), 0, &stat), "exists " + path);
  return stat.czxid;
}

int ZookeeperClient::version(const std::string& path) {
  Stat stat{};
  check(zoo_exists(handle_, path.c_str(), 0, &stat), "exists " + path);
  return stat.version;
}

std::vector<std::string> ZookeeperClient::children(const std::string& path) {
  String_vector strings{};
  const int rc = zoo_get_children(handle_, path.c_str(), 0, &strings);
  if (rc == ZNONODE) return {};
  check(rc, "children of " + path);
  std::vector<std::string> names(strings.data, strings.data + strings.count);
  deallocate_String_vector(&strings);
  return names;
}

std::string ZookeeperClient::first_acl_identity(const std::string& path) {
  ACL_vector acl{};
  check(zoo_get_acl(handle_, path.c_str(), &acl, nullptr), "ACL of " + path);
  std::string identity = std::string(acl.data[0].id.scheme) + ":" + acl.data[0].id.id;
  deallocate_ACL_vector(&acl);
  return identity;
}

void expire_session(const std::string& address, std::int64_t session_id) {
  const auto deadline = std::chrono::steady_clock::now() + kConnectLimit;
  // The victim reconnects, and may take its session back before it is closed.
  while (attach_and_close(address, client_id_of(session_id))) {
    if (std::chrono::steady_clock::now() > deadline) {
      throw std::runtime_error("the session cannot be ended");
    }
  }
}

}  // namespace skiff::registry
