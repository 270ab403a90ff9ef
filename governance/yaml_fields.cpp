#include "governance/yaml_fields.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace skiff::governance {
namespace {

// Aliases of YAML let a small text err often, and at length.
constexpr std::size_t kMaxShownBytes = 100;
constexpr std::size_t kMaxShownErrors = 20;

std::string line_of(const YAML::Mark& mark) {
  return mark.is_null() ? std::string() : "line " + std::to_string(mark.line + 1) + ": ";
}

std::string what_came(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Scalar:
      return "came '" + node.Scalar().substr(0, kMaxShownBytes) + "'";
    case YAML::NodeType::Sequence:
      return "came a list";
    case YAML::NodeType::Map:
      return "came a map";
    default:
      return "came nothing";
  }
}

std::optional<bool> parse_boolean(const std::string& text) {
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  return std::nullopt;
}

}  // namespace

YamlFields::YamlFields(const YAML::Node& node, std::string where, std::vector<std::string>& errors)
    : node_(node), where_(std::move(where)), errors_(&errors) {
  if (!node_.IsMap()) add_error(what_came(node_) + ", expected a map");
}

bool YamlFields::has(const char* key) const {
  const YAML::Node value = node(key);
  return value.IsDefined() && !value.IsNull();
}

YAML::Node YamlFields::node(const char* key) const {
  const YAML::Node& readable = node_;  // a non-const [] would add the key
  return readable.IsMap() ? readable[key] : YAML::Node(YAML::NodeType::Undefined);
}

std::optional<std::string> YamlFields::optional_text(const char* key) const {
  if (!has(key)) return std::nullopt;
  const YAML::Node value = node(key);
  if (value.IsScalar()) return value.Scalar();
  add_error(key, what_came(value) + ", expected a text");
  return std::nullopt;
}

std::string YamlFields::text(const char* key, std::string fallback) const {
  return optional_text(key).value_or(std::move(fallback));
}

bool YamlFields::boolean(const char* key, bool fallback) const {
  if (!has(key)) return fallback;
  const YAML::Node value = node(key);
  const auto parsed = value.IsScalar() ? parse_boolean(value.Scalar()) : std::nullopt;
  if (!parsed) add_error(key, what_came(value) + ", expected true or false");
  return parsed.value_or(fallback);
}

std::int64_t YamlFields::integer(const char* key, std::int64_t fallback, std::int64_t min,
                                 std::int64_t max) const {
  if (!has(key)) return fallback;
  const YAML::Node value = node(key);
  const std::string text = value.IsScalar() ? value.Scalar() : std::string();
  std::int64_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_number =
      !text.empty() && problem == std::errc() && end == text.data() + text.size();
  if (is_number && number >= min && number <= max) return number;
  add_error(key, what_came(value) + ", expected a whole number from " + std::to_string(min) +
                     " to " + std::to_string(max));
  return fallback;
}

std::vector<std::string> YamlFields::texts(const char* key) const {
  std::vector<std::string> values;
  if (!has(key)) return values;
  const YAML::Node list = node(key);
  if (list.IsScalar()) return {list.Scalar()};
  if (!list.IsSequence()) {
    add_error(key, what_came(list) + ", expected a list of texts");
    return values;
  }
  for (const YAML::Node& item : list) {
    if (item.IsScalar()) {
      values.push_back(item.Scalar());
    } else {
      add_error(key, what_came(item) + " in the list, expected a text");
    }
  }
  return values;
}

std::vector<YamlFields> YamlFields::maps(const char* key) const {
  std::vector<YamlFields> values;
  if (!has(key)) return values;
  const YAML::Node list = node(key);
  if (!list.IsSequence()) {
    add_error(key, what_came(list) + ", expected a list of maps");
    return values;
  }
  for (std::size_t i = 0; i < list.size(); ++i) {
    values.emplace_back(list[i], path_of(key) + "[" + std::to_string(i) + "]", *errors_);
  }
  return values;
}

std::optional<YamlFields> YamlFields::map(const char* key) const {
  if (!has(key)) return std::nullopt;
  return YamlFields(node(key), path_of(key), *errors_);
}

std::vector<std::string> YamlFields::keys() const {
  std::vector<std::string> names;
  if (!node_.IsMap()) return names;
  for (const auto& entry : node_) {
    if (entry.first.IsScalar()) names.push_back(entry.first.Scalar());
  }
  return names;
}

void YamlFields::add_error(const char* key, const std::string& sentence) const {
  const YAML::Node value = node(key);
  const YAML::Mark mark = value.IsDefined() ? value.Mark() : node_.Mark();
  errors_->push_back(line_of(mark) + path_of(key) + ": " + sentence);
}

void YamlFields::add_error(const std::string& sentence) const {
  errors_->push_back(line_of(node_.Mark()) + (where_.empty() ? "" : where_ + ": ") + sentence);
}

void YamlFields::add_error_at(const YAML::Node& value, std::string_view place,
                              const std::string& sentence) const {
  errors_->push_back(line_of(value.Mark()) + path_of(place) + ": " + sentence);
}

void YamlFields::refuse_others_than(std::initializer_list<std::string_view> known) const {
  for (const std::string& key : keys()) {
    if (std::ranges::find(known, key) == known.end()) add_error(key.c_str(), "unknown key");
  }
}

std::string YamlFields::path_of(std::string_view key) const {
  std::string path = where_;
  if (!path.empty()) path += '.';
  path += key;
  return path;
}

Result<void> read_yaml_map(std::string_view text,
                           const std::function<void(const YamlFields& fields)>& read) {
  if (text.size() > kMaxRuleBytes) {
    return fail(ErrorCode::kTooLarge, "it has " + std::to_string(text.size()) +
                                          " bytes, the limit is " + std::to_string(kMaxRuleBytes));
  }
  std::vector<std::string> errors;
  try {
    read(YamlFields(YAML::Load(std::string(text)), "", errors));
  } catch (const YAML::Exception& exception) {
    errors.push_back(line_of(exception.mark) + "not YAML: " + exception.msg);
  }
  if (errors.empty()) return {};
  std::string message;
  const std::size_t shown = std::min(errors.size(), kMaxShownErrors);
  for (std::size_t i = 0; i < shown; ++i) message += (i == 0 ? "" : "; ") + errors[i];
  if (shown < errors.size()) {
    message += "; and " + std::to_string(errors.size() - shown) + " more";
  }
  return fail(ErrorCode::kMalformed, std::move(message));
}

}  // namespace skiff::governance
