#pragma once

#include <cstdint>

namespace skiff::forwarder {

// How a request was routed, for the log line of its failure: numbers only, since every request has
// one and few need it. ServiceEntry::explain() makes a sentence of it.
struct RouteNote {
  std::uint32_t route_number = 0;  // ServiceEntry counts them; 0: it was not routed
  std::uint32_t cluster = 0;       // of that route's, by index
  std::uint32_t left = 0;          // providers, by the rules
  std::uint64_t narrowed_by = 0;   // routers (router_bit())
};

}  // namespace skiff::forwarder
