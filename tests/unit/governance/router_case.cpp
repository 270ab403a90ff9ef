#include "router_case.h"

#include <algorithm>
#include <cctype>
#include <ostream>
#include <stdexcept>

namespace skiff::governance {
namespace {

// What a case does not say is as the file's `defaults` say.
class CaseFields {
 public:
  CaseFields(const YAML::Node& defaults, const YAML::Node& own) : defaults_(defaults), own_(own) {
    for (const auto& field : own_) check_name(field.first.Scalar());
    for (const auto& field : defaults_) check_name(field.first.Scalar());
  }

  YAML::Node node(const char* field) const {
    const YAML::Node& own = own_;
    if (own[field].IsDefined()) return own[field];
    const YAML::Node& defaults = defaults_;
    return defaults.IsMap() ? defaults[field] : YAML::Node(YAML::NodeType::Undefined);
  }
  std::string text(const char* field) const {
    const YAML::Node value = node(field);
    return value.IsDefined() ? value.as<std::string>() : std::string();
  }

 private:
  static void check_name(const std::string& field) {
    static const std::vector<std::string> known = {
        "name",     "kind",   "key",         "rule",      "interface", "group", "version",
        "consumer", "method", "attachments", "arguments", "providers", "expect"};
    if (std::ranges::find(known, field) == known.end()) {
      throw std::runtime_error("unknown field " + field);
    }
  }

  YAML::Node defaults_;
  YAML::Node own_;
};

// "consumer://10.0.0.9?application=demo&region=beijing"
dubbo::ConsumerIdentity consumer_in(const std::string& text) {
  dubbo::ConsumerIdentity consumer;
  if (text.empty()) return consumer;
  const dubbo::Url url = dubbo::Url::parse(text).value();
  consumer.host = url.host;
  consumer.application = url.parameter("application");
  consumer.parameters.insert(url.parameters.begin(), url.parameters.end());
  consumer.parameters.erase("application");
  return consumer;
}

RouterCase read_case(const std::string& file, const CaseFields& fields) {
  RouterCase one;
  one.file = file;
  one.name = fields.text("name");
  one.kind = fields.text("kind");
  one.key = fields.text("key");
  one.rule = fields.text("rule");
  one.interface = fields.text("interface");
  one.group = fields.text("group");
  one.version = fields.text("version");
  one.consumer = consumer_in(fields.text("consumer"));
  for (const YAML::Node& provider : fields.node("providers")) {
    one.providers.push_back(dubbo::Url::parse(provider.as<std::string>()).value());
  }
  one.method = fields.text("method");
  for (const auto& attachment : fields.node("attachments")) {
    one.attachments.emplace_back(attachment.first.Scalar(), attachment.second.Scalar());
  }
  for (const YAML::Node& argument : fields.node("arguments")) {
    one.arguments.push_back(argument.IsNull() ? std::nullopt
                                              : std::optional(argument.as<std::string>()));
  }
  one.expect = fields.node("expect");
  return one;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const RouterCase& one) {
  return out << one.file << ": " << one.name;
}

std::string test_name(const RouterCase& one) {
  std::string name;
  bool word_begins = true;
  for (const char c : one.name) {
    if (std::isalnum(c) != 0) {
      name += static_cast<char>(word_begins ? std::toupper(c) : c);
    }
    word_begins = std::isalnum(c) == 0;
  }
  return name;
}

std::vector<RouterCase> load_router_cases(const std::string& file) {
  const YAML::Node root = YAML::LoadFile(std::string(SKIFF_TEST_DATA "/governance-cases/") + file);
  std::vector<RouterCase> cases;
  for (const YAML::Node& one : root["cases"]) {
    try {
      cases.push_back(read_case(file, CaseFields(root["defaults"], one)));
    } catch (const std::exception& problem) {
      throw std::runtime_error(file + ", line " + std::to_string(one.Mark().line + 1) + ": " +
                               problem.what());
    }
  }
  return cases;
}

CaseRequest::CaseRequest(const RouterCase& one) : case_(one) {
  for (const auto& [key, value] : one.attachments) attachments_.add(key, value);
  view_.method = one.method;
  view_.attachments = &attachments_;
  view_.arguments = this;
}

std::optional<std::string_view> CaseRequest::text(std::size_t index) {
  if (index >= case_.arguments.size() || !case_.arguments[index]) return std::nullopt;
  return *case_.arguments[index];
}

}  // namespace skiff::governance
