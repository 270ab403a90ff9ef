#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dubbo/request.h"
#include "forwarder/forwarder.h"
#include "forwarder/frame_connection.h"
#include "forwarder/text_map.h"

namespace skiff::forwarder {

// Which local port an inbound request goes to. Lives on its worker's thread.
class LocalServices {
 public:
  // `default_port` serves what no publication names.
  explicit LocalServices(std::uint16_t default_port) : default_port_(default_port) {}

  void update(const std::vector<LocalServicePort>& services);
  bool has_one_port() const { return only_port_ != 0; }

  // Reads the request only where several ports are possible. A service that is published on several
  // ports is spread over them in turn; a request that cannot be read or names no published service
  // goes to the default port.
  std::uint16_t port_for(const Frame& request);

 private:
  struct Published {
    std::string group;
    std::string version;
    std::vector<std::uint16_t> ports;
    std::size_t next = 0;
  };

  Published* find(const Frame& request);

  std::uint16_t default_port_;
  std::uint16_t only_port_ = 0;  // 0: several are possible
  TextMap<std::vector<Published>> by_interface_;
  dubbo::RequestReader reader_;
  dubbo::Attachments attachments_;
};

}  // namespace skiff::forwarder
