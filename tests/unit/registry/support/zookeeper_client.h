#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

struct _zhandle;  // NOLINT(bugprone-reserved-identifier): the library's name

namespace skiff::registry {

// A stock client with blocking calls, to look at what was written and to do what others do. Throws
// std::runtime_error where a call fails in another way than its contract says.
class ZookeeperClient {
 public:
  // `credentials`: "user:password", or none.
  explicit ZookeeperClient(const std::string& address, const std::string& credentials = "");
  ~ZookeeperClient();

  ZookeeperClient(const ZookeeperClient&) = delete;
  ZookeeperClient& operator=(const ZookeeperClient&) = delete;

  std::int64_t session_id() const;
  void create(const std::string& path, bool ephemeral = false);
  // Each folder above, too.
  void create_all(const std::string& path);
  // Creates a node with `data`, its folders too, or sets the data of the one that is there.
  void write(const std::string& path, const std::string& data);
  void remove(const std::string& path);
  // Puts an ephemeral node of its own in the place of another one, in one step.
  void take_over(const std::string& path);
  bool exists(const std::string& path) { return owner(path).has_value(); }
  // The session that owns a node, 0 for a persistent one; empty: there is none.
  std::optional<std::int64_t> owner(const std::string& path);
  std::string data(const std::string& path);
  // Of an existing node: when it was created, by the order of all changes.
  std::int64_t creation(const std::string& path);
  // And how often its data have been set.
  int version(const std::string& path);
  std::vector<std::string> children(const std::string& path);
  // "world:anyone", "digest:...": who may do something with the node.
  std::string first_acl_identity(const std::string& path);

 private:
  static void on_event(_zhandle* handle, int type, int state, const char* path, void* context);

  _zhandle* handle_ = nullptr;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool connected_ = false;
};

// Ends somebody else's session as if it had timed out: attaches to it and closes it.
void expire_session(const std::string& address, std::int64_t session_id);

}  // namespace skiff::registry
