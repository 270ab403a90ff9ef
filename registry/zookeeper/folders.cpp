#include "registry/zookeeper/folders.h"

#include <zookeeper/zookeeper.h>

#include <cstddef>
#include <utility>

#include "registry/zookeeper/zookeeper_error.h"

namespace skiff::registry {
namespace {

// `depth` characters of `path` have been seen to.
void create_below(Session& session, const std::string& path, std::size_t depth,
                  std::function<void(int rc)> done) {
  const std::size_t next = path.find('/', depth + 1);
  if (next == std::string::npos) {
    done(ZOK);
    return;
  }
  session.create(
      path.substr(0, next), "", false,
      [&session, path, next, done = std::move(done)](const OperationResult& result) mutable {
        if (is_connection_error(result.rc)) {
          done(result.rc);
        } else {
          create_below(session, path, next, std::move(done));
        }
      });
}

}  // namespace

void create_folders(Session& session, const std::string& path, std::function<void(int rc)> done) {
  create_below(session, path, 0, std::move(done));
}

}  // namespace skiff::registry
