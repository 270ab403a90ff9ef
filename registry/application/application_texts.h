#pragma once

#include <map>
#include <string>

#include "dubbo/url.h"

namespace skiff::registry {

// By their texts.
using ProviderUrls = std::map<std::string, dubbo::Url>;

// What stands in the nodes of one application at one address.
struct ApplicationTexts {
  std::string revision;
  std::string metadata;  // of /dubbo/metadata/<application>/<revision>
  std::string instance;  // of /services/<application>/<ip:port>
};

// What is to stand there so that `providers`, at least one and all with one host and port, are
// found by application. Of URLs that agree in interface, group and version, which one node cannot
// hold, the youngest is written. The instance is as old as its oldest provider: a service that
// comes later does not make the others warm up again. The same URLs make the same texts.
ApplicationTexts application_texts(const std::string& application, const ProviderUrls& providers);

}  // namespace skiff::registry
