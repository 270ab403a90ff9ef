#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "forwarder/socket.h"

namespace skiff::service_manager {

// A datagram that a service has sent to $NOTIFY_SOCKET (sd_notify(3)).
struct Notification {
  pid_t sender = 0;
  std::vector<std::string> lines;
  std::vector<forwarder::Fd> descriptors;

  bool has(const std::string& line) const;
  // What follows "NAME="; empty where it is not there.
  std::string value(const std::string& name) const;
};

// Where services send them.
class NotifySocket {
 public:
  explicit NotifySocket(const std::string& path);
  int fd() const { return fd_.get(); }
  Notification receive() const;

 private:
  forwarder::Fd fd_;
};

// What services have stored, with systemd's rules: the same file is stored once; what hangs up is
// dropped.
class Store {
 public:
  struct Stored {
    std::string name;
    forwarder::Fd fd;
  };

  void add(const std::string& name, std::vector<forwarder::Fd> descriptors);
  void remove(const std::string& name);
  void drop_hung_up();
  const std::vector<Stored>& all() const { return all_; }

 private:
  std::vector<Stored> all_;
};

}  // namespace skiff::service_manager
