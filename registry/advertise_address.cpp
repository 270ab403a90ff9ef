#include "registry/advertise_address.h"

#include <utility>

namespace skiff::registry {
namespace {

// Why no other machine could use `address`; empty where it can be advertised.
std::string_view objection_to(const IpAddress& address) {
  if (address.is_unspecified()) return "stands for any address, and nobody can connect to it";
  if (address.is_multicast()) return "is a multicast address";
  if (address.is_broadcast()) return "is the broadcast address";
  if (address.is_link_local_v6()) {
    return "is a link-local IPv6 address, which means nothing on another machine";
  }
  if (address.is_mapped_v4()) return "is an IPv4 address in IPv6 form: write the IPv4 address";
  return {};
}

tl::unexpected<Error> wrong_advertise(std::string_view text, std::string_view why) {
  return fail(ErrorCode::kInvalidArgument,
              "advertise \"" + std::string(text) + "\": " + std::string(why));
}

Result<AdvertiseSpec> parse_network(std::string_view text) {
  Result<IpNetwork> network = IpNetwork::parse(text);
  if (!network) {
    return fail(ErrorCode::kInvalidArgument, "advertise " + network.error().message);
  }
  AdvertiseSpec spec;
  spec.kind = AdvertiseSpec::Kind::kNetwork;
  spec.network = *network;
  return spec;
}

// An address of an interface that the CIDR may choose: loopback only where the network is loopback.
bool is_choice(const IpNetwork& network, const IpAddress& address) {
  return network.contains(address) && objection_to(address).empty() &&
         (!address.is_loopback() || network.base.is_loopback());
}

Result<AdvertisedAddress> choose_in_network(const IpNetwork& network, std::uint16_t port,
                                            const NetworkView& view) {
  const std::string shown = network.base.to_string() + "/" + std::to_string(network.prefix_bits);
  for (const InterfaceAddress& candidate : view.addresses()) {
    if (!is_choice(network, candidate.address)) continue;
    return AdvertisedAddress{candidate.address.to_string(), port,
                             "first address in " + shown + ": " + candidate.interface};
  }
  return fail(ErrorCode::kUnavailable,
              "advertise \"" + shown + "\": no interface has an address in this network");
}

Result<AdvertisedAddress> choose_by_route(const RegistryServer& server, std::uint16_t port,
                                          const NetworkView& view) {
  const auto source = view.source_towards(server.address);
  if (!source) {
    return fail(ErrorCode::kUnavailable,
                "no route to registry " + server.name + ": " + source.error().message);
  }
  if (const std::string_view why = objection_to(source->address); !why.empty()) {
    return fail(ErrorCode::kUnavailable, "the route to registry " + server.name + " leaves from " +
                                             source->address.to_string() + " (" +
                                             source->interface + "), which " + std::string(why) +
                                             ": give an address with --advertise");
  }
  return AdvertisedAddress{
      source->address.to_string(), port,
      "route to registry " + server.name + " leaves from " + source->interface};
}

}  // namespace

Result<AdvertiseSpec> parse_advertise(std::string_view text) {
  constexpr std::string_view kExpected =
      "expected an address, address:port, [v6]:port or a network such as 10.0.0.0/8";
  if (text.empty()) return AdvertiseSpec{};
  if (text.find('/') != std::string_view::npos) return parse_network(text);

  const auto parsed = dubbo::parse_host_port(text);
  const auto address = parsed ? IpAddress::parse(parsed->host) : std::nullopt;
  if (!address) return wrong_advertise(text, kExpected);
  // With 1 as the default, a zero is one that was written.
  const auto with_default = dubbo::parse_host_port(text, 1);
  if (!with_default || with_default->port == 0) {
    return wrong_advertise(text, "port 0: expected 1..65535");
  }
  if (const std::string_view why = objection_to(*address); !why.empty()) {
    return wrong_advertise(text, std::string("it ").append(why));
  }
  AdvertiseSpec spec;
  spec.kind = AdvertiseSpec::Kind::kAddress;
  spec.address = *address;
  spec.port = parsed->port;
  return spec;
}

Result<AdvertisedAddress> choose_advertised_address(const AdvertiseSpec& spec,
                                                    std::uint16_t inbound_port,
                                                    const std::optional<RegistryServer>& server,
                                                    const NetworkView& network) {
  switch (spec.kind) {
    case AdvertiseSpec::Kind::kAddress:
      return AdvertisedAddress{spec.address.to_string(), spec.port != 0 ? spec.port : inbound_port,
                               "--advertise"};
    case AdvertiseSpec::Kind::kNetwork:
      return choose_in_network(spec.network, inbound_port, network);
    case AdvertiseSpec::Kind::kByRoute:
      break;
  }
  if (server) return choose_by_route(*server, inbound_port, network);
  return AdvertisedAddress{"127.0.0.1", inbound_port,
                           "embedded registry: only this agent reads it"};
}

}  // namespace skiff::registry
