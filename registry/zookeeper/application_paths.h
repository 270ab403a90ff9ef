#pragma once

#include <string>

namespace skiff::registry {

// Where Dubbo 3 keeps what its application level needs.
struct ApplicationPaths {
  std::string root;       // of Dubbo's tree; below it mapping/ and metadata/
  std::string instances;  // the applications' folder

  std::string mapping(const std::string& interface) const { return root + "/mapping/" + interface; }
  std::string metadata(const std::string& application, const std::string& revision) const {
    return root + "/metadata/" + application + '/' + revision;
  }
  std::string application(const std::string& application) const {
    return instances + '/' + application;
  }
  // `name`: "ip:port".
  std::string instance(const std::string& application, const std::string& name) const {
    return instances + '/' + application + '/' + name;
  }
};

}  // namespace skiff::registry
