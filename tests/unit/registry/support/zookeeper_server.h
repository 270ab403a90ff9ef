#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>

namespace skiff::registry {

// A real ZooKeeper server on loopback, a child process with a folder of its own; both are gone when
// the object is. Throws std::runtime_error where it does not come up.
class ZookeeperServer {
 public:
  ZookeeperServer();
  ~ZookeeperServer();

  ZookeeperServer(const ZookeeperServer&) = delete;
  ZookeeperServer& operator=(const ZookeeperServer&) = delete;

  // What comes after stop() has the same port and data.
  void start();
  void stop();
  void wipe_data();

  std::uint16_t port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string url() const { return "zookeeper://" + address(); }

 private:
  void write_configuration() const;
  void launch();
  bool found_its_port_taken() const;
  bool answers() const;

  std::filesystem::path folder_;
  std::uint16_t port_;
  pid_t process_ = -1;
};

}  // namespace skiff::registry
