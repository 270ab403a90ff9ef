#pragma once

#include <map>
#include <string>

namespace skiff::dubbo {

// On whose behalf the requests for an interface are sent.
struct ConsumerIdentity {
  std::string application;
  std::string host;                               // numeric; the one that the agent advertises
  std::map<std::string, std::string> parameters;  // further ones of its subscription

  bool operator==(const ConsumerIdentity&) const = default;
};

}  // namespace skiff::dubbo
