#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "dubbo/request.h"
#include "forwarder/forwarder.h"
#include "forwarder/frame_connection.h"
#include "forwarder/text_map.h"

namespace skiff::forwarder {

// Which local port an inbound request goes to, and whether somebody serves there. Lives on its
// worker's thread.
class LocalServices {
 public:
  struct Destination {
    std::uint16_t port = 0;
    std::string_view down;  // why its provider serves nobody; empty where it serves
  };

  // `default_port` serves what no publication names.
  explicit LocalServices(std::uint16_t default_port) : default_port_(default_port) {}

  void update(const std::vector<LocalServicePort>& services);
  bool has_one_port() const { return only_port_ != 0; }

  // Reads the request only where several ports are possible. A service that is published on several
  // ports is spread over those that serve, in turn; a request that cannot be read or names no
  // published service goes to the default port. Valid until update().
  Destination destination_of(const Frame& request);
  // Why nobody serves at a port: all that is published there is down.
  std::string_view why_down(std::uint16_t port) const;
  // Those of `services`, in Dubbo's spelling, that are published where nobody serves, or is to
  // stay.
  std::vector<std::string> down_of(const std::vector<std::string>& services) const;
  // False where all that is published at a port is down or leaves.
  bool is_to_stay(std::uint16_t port) const { return !leaving_ports_.contains(port); }

 private:
  struct PublishedPort {
    std::uint16_t port;
    std::string down;
  };
  struct Published {
    std::string group;
    std::string version;
    std::vector<PublishedPort> ports;
    std::size_t next = 0;
  };

  Published* find(const Frame& request);

  std::uint16_t default_port_;
  std::uint16_t only_port_ = 0;  // 0: several are possible
  std::string only_port_down_;
  TextMap<std::vector<Published>> by_interface_;
  std::map<std::uint16_t, std::string> why_down_;  // by port, of all that are published
  std::set<std::uint16_t> leaving_ports_;
  std::set<std::string> down_services_;  // that are down or leave, wherever they are published
  dubbo::RequestReader reader_;
  dubbo::Attachments attachments_;
};

}  // namespace skiff::forwarder
