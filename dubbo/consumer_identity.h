#pragma once

#include <map>
#include <string>

namespace skiff::dubbo {

// The consumer that an interface's rules are read for: what its own URL would say of it.
struct ConsumerIdentity {
  std::string application;
  std::string host;  // as advertised; empty until that is known
  std::map<std::string, std::string> parameters;

  bool operator==(const ConsumerIdentity&) const = default;
};

}  // namespace skiff::dubbo
