#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dubbo/result.h"
#include "dubbo/url.h"
#include "registry/control_plane.h"
#include "registry/ip_address.h"

namespace skiff::registry {

// What --advertise says.
struct AdvertiseSpec {
  enum class Kind { kByRoute, kAddress, kNetwork };

  Kind kind = Kind::kByRoute;
  IpAddress address;       // of kAddress
  std::uint16_t port = 0;  // 0: that of the inbound listener
  IpNetwork network;       // of kNetwork
};

// Reads "" (by route), "10.0.0.5", "10.0.0.5:20882", "fd00::5", "[fd00::5]:20882" or a network,
// "10.0.0.0/8". Fails with kInvalidArgument on anything else, and on addresses that no other
// machine can send to: 0.0.0.0, ::, multicast, broadcast, link-local IPv6.
Result<AdvertiseSpec> parse_advertise(std::string_view text);

struct InterfaceAddress {
  std::string interface;
  IpAddress address;
};

// What the choice asks the machine; a seam for tests.
class NetworkView {
 public:
  virtual ~NetworkView() = default;
  // Of the interfaces that are up, in the system's order.
  virtual std::vector<InterfaceAddress> addresses() const = 0;
  // The address that packets to `destination` leave from; nothing is sent. Fails with kUnavailable
  // where there is no route.
  virtual Result<InterfaceAddress> source_towards(const IpAddress& destination) const = 0;
};
const NetworkView& system_network();

// The server whose route decides: numeric, together with what users call it.
struct RegistryServer {
  IpAddress address;
  std::string name;  // "zk1.example.com:2181"
};

// What this machine writes into a registry, and why. `server` is empty for the embedded registry,
// which only this agent reads: 127.0.0.1 does unless the spec says otherwise. Fails with
// kUnavailable where the network offers no fitting address now; a later try may succeed.
Result<AdvertisedAddress> choose_advertised_address(const AdvertiseSpec& spec,
                                                    std::uint16_t inbound_port,
                                                    const std::optional<RegistryServer>& server,
                                                    const NetworkView& network);

// The first address of `host`, which may be numeric or a name. Asks the resolver, so it may take
// seconds: not for the control thread. Fails with kUnavailable.
Result<IpAddress> resolve_host(const std::string& host);

}  // namespace skiff::registry
