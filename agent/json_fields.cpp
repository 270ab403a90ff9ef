#include "agent/json_fields.h"

#include <algorithm>

#include "agent/durations.h"
#include "agent/text.h"

namespace skiff::agent {
namespace {

// How deep arrays and objects of `text` are nested, strings aside. Of text that is no JSON it says
// something, but then the parser refuses it anyway.
std::size_t nesting_depth(std::string_view text) {
  std::size_t depth = 0;
  std::size_t deepest = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      deepest = std::max(deepest, ++depth);
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return deepest;
}

// Of nlohmann's "[json.exception.parse_error.101] parse error at line 1, column 5: syntax error
// ...; last read: '...'" what users need.
std::string parser_sentence(std::string_view what) {
  constexpr std::size_t kMaxShownBytes = 200;
  if (const auto end = what.find("] "); end != std::string_view::npos) what.remove_prefix(end + 2);
  const std::string_view shown = cut_utf8(what, kMaxShownBytes);
  return std::string(shown) + (shown.size() < what.size() ? "..." : "");
}

template <typename Json>
std::string dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

Result<nlohmann::json> parse_json(std::string_view text) {
  if (const std::size_t depth = nesting_depth(text); depth > kMaxJsonDepth) {
    return fail(ErrorCode::kInvalidArgument, "body: came JSON nested " + std::to_string(depth) +
                                                 " deep, expected at most " +
                                                 std::to_string(kMaxJsonDepth));
  }
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::exception& exception) {
    return fail(ErrorCode::kInvalidArgument, "body: came what is not JSON in UTF-8 (" +
                                                 parser_sentence(exception.what()) +
                                                 "), expected a JSON object");
  }
}

std::string to_text(const nlohmann::json& json) { return dumped(json); }
std::string to_text(const nlohmann::ordered_json& json) { return dumped(json); }

std::string text_of(const nlohmann::ordered_json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) return "";
  return found->is_string() ? found->get<std::string>() : to_text(*found);
}

std::string describe(const nlohmann::json& value) {
  if (value.is_string()) return in_quotes(value.get_ref<const std::string&>());
  if (value.is_object()) return "an object";
  if (value.is_array()) return value.empty() ? "an empty array" : "an array";
  return to_text(value);
}

tl::unexpected<Error> wrong_field(const std::string& field, const nlohmann::json& came,
                                  const std::string& expected) {
  return fail(ErrorCode::kInvalidArgument,
              field + ": came " + describe(came) + ", expected " + expected);
}

tl::unexpected<Error> missing_field(const std::string& field, const std::string& expected) {
  return fail(ErrorCode::kInvalidArgument, field + ": came nothing, expected " + expected);
}

const nlohmann::json* JsonFields::find(const std::string& name) {
  known_.push_back(name);
  const auto found = object_.find(name);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

Result<std::string> JsonFields::text(const std::string& name) {
  const nlohmann::json* value = find(name);
  if (value == nullptr) return std::string();
  if (!value->is_string()) return wrong_field(path_of(name), *value, "a string");
  return value->get<std::string>();
}

Result<std::vector<std::string>> JsonFields::texts(const std::string& name) {
  std::vector<std::string> texts;
  const nlohmann::json* value = find(name);
  if (value == nullptr) return texts;
  if (!value->is_array()) return wrong_field(path_of(name), *value, "an array of strings");
  for (std::size_t i = 0; i < value->size(); ++i) {
    const nlohmann::json& item = (*value)[i];
    if (!item.is_string()) {
      return wrong_field(path_of(name) + "[" + std::to_string(i) + "]", item, "a string");
    }
    texts.push_back(item.get<std::string>());
  }
  return texts;
}

Result<std::optional<std::uint64_t>> JsonFields::number(const std::string& name, std::uint64_t min,
                                                        std::uint64_t max, bool numeric_text) {
  const nlohmann::json* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_number_unsigned()) {
    const auto number = value->get<std::uint64_t>();
    if (number >= min && number <= max) return number;
  } else if (value->is_string() && numeric_text) {
    if (const auto read = parse_number(value->get_ref<const std::string&>(), min, max))
      return *read;
  }
  return wrong_field(path_of(name), *value,
                     "a whole number from " + std::to_string(min) + " to " + std::to_string(max));
}

void JsonFields::warn_of_unknown(std::vector<std::string>& warnings) const {
  std::size_t unknown = 0;
  for (const auto& item : object_.items()) {
    if (std::find(known_.begin(), known_.end(), item.key()) != known_.end()) continue;
    if (++unknown > kMaxUnknownNamed) continue;
    warnings.push_back("unknown field " + in_quotes(path_of(item.key())) + " was ignored");
  }
  if (unknown > kMaxUnknownNamed) {
    warnings.push_back(std::to_string(unknown - kMaxUnknownNamed) +
                       " further unknown fields were ignored");
  }
}

}  // namespace skiff::agent
