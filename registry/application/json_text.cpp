#include "registry/application/json_text.h"

#include <charconv>
#include <utility>

namespace skiff::registry {
namespace {

std::string text_of(const nlohmann::json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number() || value.is_boolean()) return value.dump();
  return {};
}

}  // namespace

std::optional<nlohmann::json> parse_json_object(std::string_view text) {
  // Instance, payload, metadata; or metadata, services, service, parameters.
  constexpr int kMaxDepth = 8;
  bool is_too_deep = false;
  const auto not_too_deep = [&is_too_deep](int depth, auto, const auto&) {
    is_too_deep = is_too_deep || depth > kMaxDepth;
    return !is_too_deep;
  };
  nlohmann::json value = nlohmann::json::parse(text, not_too_deep, false);
  if (is_too_deep || !value.is_object()) return std::nullopt;
  return value;
}

const nlohmann::json& json_member(const nlohmann::json& object, const char* key) {
  static const nlohmann::json none;
  if (!object.is_object()) return none;
  const auto found = object.find(key);
  return found == object.end() ? none : *found;
}

std::string json_text(const nlohmann::json& object, const char* key) {
  return text_of(json_member(object, key));
}

std::uint16_t json_port(const nlohmann::json& object, const char* key) {
  const std::string text = json_text(object, key);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size() ? port : std::uint16_t{0};
}

std::map<std::string, std::string, std::less<>> json_texts(const nlohmann::json& object) {
  std::map<std::string, std::string, std::less<>> texts;
  if (!object.is_object()) return texts;
  for (const auto& [key, value] : object.items()) {
    if (std::string text = text_of(value); !text.empty()) texts.emplace(key, std::move(text));
  }
  return texts;
}

std::string dump_json(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace skiff::registry
