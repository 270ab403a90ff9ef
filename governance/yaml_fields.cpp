#include "governance/yaml_fields.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

namespace skiff::governance {
namespace {

// Aliases of YAML let a small text err often, and at length.
constexpr std::size_t kMaxShownBytes = 80;
constexpr std::size_t kMaxShownErrors = 20;

std::string line_of(const YAML::Mark& mark) {
  return mark.is_null() ? std::string() : "line " + std::to_string(mark.line + 1) + ": ";
}

// Long ones are cut, never inside a UTF-8 character.
std::string shown(std::string text) {
  if (text.size() <= kMaxShownBytes) return text;
  std::size_t end = kMaxShownBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  text.resize(end);
  return text + "...";
}

std::string what_came(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Scalar:
      return "came '" + shown(node.Scalar()) + "'";
    case YAML::NodeType::Sequence:
      return "came a list";
    case YAML::NodeType::Map:
      return "came a map";
    default:
      return "came nothing";
  }
}

// How much stands in `document`, aliases written out; stops counting over kMaxExpandedBytes. A text
// of a few kilobytes may otherwise hold aliases of aliases that stand for more than memory does, or
// a list that holds itself.
std::size_t expanded_size(const YAML::Node& document) {
  constexpr std::size_t kPerNode = 16;
  std::size_t size = 0;
  std::vector<YAML::Node> left;
  const auto count = [&](const YAML::Node& node) {
    size += kPerNode;
    if (node.IsScalar()) size += node.Scalar().size();
    if (!node.IsScalar()) left.push_back(node);
  };
  count(document);
  while (!left.empty() && size <= kMaxExpandedBytes) {
    const YAML::Node node = left.back();
    left.pop_back();
    for (const auto& entry : node) {
      if (node.IsMap()) {
        count(entry.first);
        count(entry.second);
      } else {
        count(entry);
      }
    }
  }
  return size;
}

std::optional<bool> parse_boolean(const std::string& text) {
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  return std::nullopt;
}

std::string in_one_sentence(const std::vector<std::string>& errors) {
  std::string message;
  for (std::size_t i = 0; i < std::min(errors.size(), kMaxShownErrors); ++i) {
    message += (message.empty() ? "" : "; ") + errors[i];
  }
  if (errors.size() > kMaxShownErrors) {
    message += "; and " + std::to_string(errors.size() - kMaxShownErrors) + " more";
  }
  return message;
}

// True where `text` begins with a line that separates documents.
bool begins_with_separator(std::string_view text) {
  constexpr std::string_view kSeparator = "---";
  if (!text.starts_with(kSeparator)) return false;
  const std::string_view rest = text.substr(kSeparator.size());
  return rest.empty() || std::string_view(" \t\r\n").find(rest[0]) != std::string_view::npos;
}

// One by one, each behind as many empty lines as stand before it, for the numbers in errors:
// YAML::LoadAll() makes no end of documents of a text like ",".
std::vector<YAML::Node> load_documents(const std::string& text) {
  std::vector<YAML::Node> documents;
  std::string document;
  std::size_t lines = 0;
  std::size_t loaded = 0;
  const auto load = [&] {
    if (YAML::Node node = YAML::Load(document); !node.IsNull()) documents.push_back(node);
    if (++loaded > kMaxDocuments)
      throw YAML::Exception(YAML::Mark::null_mark(), "too many documents");
    document.assign(lines, '\n');
  };
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size() - 1) + 1;
    const std::string_view line = std::string_view(text).substr(begin, end - begin);
    if (begins_with_separator(line)) load();
    document += line;
    begin = end;
    ++lines;
  }
  load();
  return documents;
}

Result<void> read_documents(std::string_view text,
                            const std::function<std::vector<YAML::Node>(const std::string&)>& load,
                            const std::function<void(const YamlFields& fields)>& read) {
  if (text.size() > kMaxRuleBytes) {
    return fail(ErrorCode::kTooLarge, "it has " + std::to_string(text.size()) +
                                          " bytes, the limit is " + std::to_string(kMaxRuleBytes));
  }
  std::vector<std::string> errors;
  try {
    for (const YAML::Node& document : load(std::string(text))) {
      if (expanded_size(document) > kMaxExpandedBytes) {
        return fail(ErrorCode::kTooLarge, "with all aliases written out it has over " +
                                              std::to_string(kMaxExpandedBytes) + " bytes");
      }
      read(YamlFields(document, "", errors));
    }
  } catch (const YAML::Exception& exception) {
    errors.push_back(line_of(exception.mark) + "not YAML: " + exception.msg);
  }
  if (errors.empty()) return {};
  return fail(ErrorCode::kMalformed, in_one_sentence(errors));
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
    if (names.size() == kMaxMapKeys) {
      add_error("over " + std::to_string(kMaxMapKeys) + " keys");
      break;
    }
    if (entry.first.IsScalar()) names.push_back(entry.first.Scalar());
  }
  return names;
}

void YamlFields::add_error(const char* key, const std::string& sentence) const {
  if (has_said_enough()) return;
  const YAML::Node value = node(key);
  const YAML::Mark mark = value.IsDefined() ? value.Mark() : node_.Mark();
  errors_->push_back(line_of(mark) + path_of(shown(key)) + ": " + sentence);
}

void YamlFields::add_error(const std::string& sentence) const {
  if (has_said_enough()) return;
  errors_->push_back(line_of(node_.Mark()) + (where_.empty() ? "" : where_ + ": ") + sentence);
}

void YamlFields::add_error_at(const YAML::Node& value, std::string_view place,
                              const std::string& sentence) const {
  if (has_said_enough()) return;
  errors_->push_back(line_of(value.Mark()) + path_of(place) + ": " + sentence);
}

void YamlFields::refuse_others_than(std::span<const std::string_view> known) const {
  std::set<std::string_view> seen;
  const std::vector<std::string> given = keys();
  for (const std::string& key : given) {
    if (std::ranges::find(known, key) == known.end()) {
      add_error(key.c_str(), "unknown key");
    } else if (!seen.insert(key).second) {
      add_error(key.c_str(), "given twice");
    }
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
  return read_documents(
      text, [](const std::string& yaml) { return std::vector<YAML::Node>{YAML::Load(yaml)}; },
      read);
}

Result<void> read_yaml_maps(std::string_view text,
                            const std::function<void(const YamlFields& fields)>& read) {
  return read_documents(text, load_documents, read);
}

}  // namespace skiff::governance
