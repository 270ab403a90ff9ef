#include "agent/saved_rules_text.h"

#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "agent/json_fields.h"
#include "dubbo/url.h"

namespace skiff::agent {
namespace {

using nlohmann::json;
using registry::RuleSubject;
using registry::SavedRules;

json rules_json(const SavedRules& rules) {
  json object = {{"registry", rules.registry}};
  if (rules.subject.kind == RuleSubject::Kind::kInterface) {
    object["interface"] = rules.subject.name;
    json urls = json::array();
    for (const std::string& url : rules.texts.urls) urls.push_back(dubbo::url_encode(url));
    object["urls"] = std::move(urls);
  } else {
    object["subject"] = rules.subject.name;
    object["documents"] = rules.texts.documents;
  }
  return object;
}

// Throws json::exception where something is missing or of another type.
SavedRules read_rules(const json& object) {
  SavedRules rules;
  rules.registry = object.at("registry");
  if (object.contains("interface")) {
    rules.subject = RuleSubject::urls_of(object.at("interface").get<std::string>());
    for (const json& name : object.at("urls")) {
      if (auto url = dubbo::url_decode(name.get_ref<const std::string&>())) {
        rules.texts.urls.push_back(std::move(*url));
      }
    }
  } else {
    rules.subject = RuleSubject::documents_of(object.at("subject").get<std::string>());
    rules.texts.documents = object.at("documents").get<std::map<std::string, std::string>>();
  }
  return rules;
}

}  // namespace

void write_text(const std::vector<SavedRules>& rules, const TakePiece& take) {
  take("{\"rules\":[");
  const char* separator = "\n";
  for (const SavedRules& one : rules) {
    take(std::exchange(separator, ",\n"));
    take(to_text(rules_json(one)));
  }
  take("]}");
}

std::string to_text(const std::vector<SavedRules>& rules) {
  std::string text;
  write_text(rules, [&text](std::string_view piece) { text += piece; });
  return text;
}

Result<std::vector<SavedRules>> parse_saved_rules(std::string_view text) {
  const auto document = parse_json(text);
  if (!document) return fail(ErrorCode::kMalformed, "its text is not JSON");
  try {
    std::vector<SavedRules> rules;
    for (const json& object : document->at("rules")) rules.push_back(read_rules(object));
    return rules;
  } catch (const json::exception& exception) {
    return fail(ErrorCode::kMalformed,
                std::string("its text is not as expected: ") + exception.what());
  }
}

}  // namespace skiff::agent
