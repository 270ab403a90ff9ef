#pragma once

#include <map>
#include <string>
#include <vector>

namespace skiff::dubbo {

// The governance rules of one interface, as a registry holds them (protocol.md 2, "Rules"). Nobody
// has looked at what they say yet.
struct RuleTexts {
  // Decoded names of the nodes in /dubbo/<interface>/configurators and /routers: "override://...",
  // "condition://...". Sorted, each once.
  std::vector<std::string> urls;
  // Of /dubbo/config/dubbo: "com.example.Demo::.condition-router" -> its YAML. Nodes that do not
  // exist, or are empty, are not there.
  std::map<std::string, std::string> documents;

  bool empty() const { return urls.empty() && documents.empty(); }
  bool operator==(const RuleTexts&) const = default;
};

}  // namespace skiff::dubbo
