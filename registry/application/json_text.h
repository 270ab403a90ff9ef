#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace skiff::registry {

// Readers of JSON that others wrote, which may hold anything; none throws.

// An object; empty where `text` is none, or is nested deeper than any node of Dubbo's.
std::optional<nlohmann::json> parse_json_object(std::string_view text);

// The member of an object, null where there is none.
const nlohmann::json& json_member(const nlohmann::json& object, const char* key);

// A member's text: a string, or what a number or boolean is written as; "" for all else.
std::string json_text(const nlohmann::json& object, const char* key);

// A member that is a port, as a number or its digits; 0 for all else.
std::uint16_t json_port(const nlohmann::json& object, const char* key);

// The members that have texts.
std::map<std::string, std::string, std::less<>> json_texts(const nlohmann::json& object);

// Its text; what is not UTF-8 in it is replaced.
std::string dump_json(const nlohmann::json& value);

}  // namespace skiff::registry
