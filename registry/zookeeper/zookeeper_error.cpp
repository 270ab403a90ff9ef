#include "registry/zookeeper/zookeeper_error.h"

#include <zookeeper/zookeeper.h>

namespace skiff::registry {

Error zookeeper_error(const std::string& what, int rc) {
  std::string message = what + ": " + zerror(rc);
  if (rc == ZNOAUTH) {
    message += " (the node's access list does not allow it; give the registry's user and password)";
  }
  return {ErrorCode::kUnavailable, std::move(message)};
}

bool is_connection_error(int rc) {
  return rc == ZCONNECTIONLOSS || rc == ZOPERATIONTIMEOUT || rc == ZSESSIONEXPIRED ||
         rc == ZSESSIONMOVED || rc == ZCLOSING || rc == ZINVALIDSTATE;
}

}  // namespace skiff::registry
