#pragma once

#include <functional>
#include <string>

#include "registry/zookeeper/session.h"

namespace skiff::registry {

// Creates what is missing of the folders above `path`. `done` hears ZOK, also where one could not
// be created: folders may exist, and those that do may refuse us while those below do not, so that
// the creation of the node itself decides; or it hears the code of a connection that was lost. As
// with the session's operations, it may never hear anything.
void create_folders(Session& session, const std::string& path, std::function<void(int rc)> done);

}  // namespace skiff::registry
