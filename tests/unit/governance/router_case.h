#pragma once

#include <yaml-cpp/yaml.h>

#include <iosfwd>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dubbo/consumer_identity.h"
#include "dubbo/request.h"
#include "dubbo/url.h"
#include "governance/request_view.h"
#include "governance/router.h"

namespace skiff::governance {

// One case of tests/governance-cases/*.yaml; see the README there. What it expects is left to those
// who run its kind.
struct RouterCase {
  std::string file;
  std::string name;
  std::string kind;  // "condition", "condition-url", "tag", ...
  std::string key;   // of a document
  std::string rule;  // YAML, or a URL
  std::string interface;
  std::string group;
  std::string version;
  dubbo::ConsumerIdentity consumer;
  std::vector<dubbo::Url> providers;
  std::string method;
  std::vector<std::pair<std::string, std::string>> attachments;
  std::vector<std::optional<std::string>> arguments;
  YAML::Node expect;

  RuleScope scope() const {
    return {.interface = interface,
            .group = group,
            .version = version,
            .providers = providers,
            .consumer = consumer};
  }
};
// For the names of tests.
std::ostream& operator<<(std::ostream& out, const RouterCase& one);
std::string test_name(const RouterCase& one);

// Of one file below tests/governance-cases. Throws on a file that is not as it should be.
std::vector<RouterCase> load_router_cases(const std::string& file);

// The request of a case, as routers see it.
class CaseRequest : public ArgumentTexts {
 public:
  explicit CaseRequest(const RouterCase& one);
  const RequestView& view() const { return view_; }
  std::optional<std::string_view> text(std::size_t index) override;

 private:
  const RouterCase& case_;
  dubbo::Attachments attachments_;
  RequestView view_;
};

}  // namespace skiff::governance
