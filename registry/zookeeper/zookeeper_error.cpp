#include "registry/zookeeper/zookeeper_error.h"

#include <zookeeper/zookeeper.h>

namespace skiff::registry {

Error zookeeper_error(const std::string& what, int rc) {
  std::string message = what + ": " + zerror(rc);
  if (rc == ZNOAUTH) {
    message +=
        " (the access list of the node, or of its folder, does not allow it: the address of the "
        "registry needs a user and password that may)";
  }
  return {ErrorCode::kUnavailable, std::move(message)};
}

bool is_connection_error(int rc) {
  return rc == ZCONNECTIONLOSS || rc == ZOPERATIONTIMEOUT || rc == ZSESSIONEXPIRED ||
         rc == ZSESSIONMOVED || rc == ZCLOSING || rc == ZINVALIDSTATE;
}

}  // namespace skiff::registry
