#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dubbo/result.h"

namespace skiff::agent {

// Parses the text of an API body. Fails with kInvalidArgument where it is no JSON, not UTF-8, or
// nested deeper than kMaxJsonDepth.
inline constexpr std::size_t kMaxJsonDepth = 64;
Result<nlohmann::json> parse_json(std::string_view text);

// The text of a JSON document for the wire. What is not UTF-8 in it becomes U+FFFD; never fails.
std::string to_text(const nlohmann::json& json);
std::string to_text(const nlohmann::ordered_json& json);

// A field for people: a text as it is, anything else as JSON; "" where it is not there.
std::string text_of(const nlohmann::ordered_json& object, const char* key);

// "\"abc\"", "12", "an object": what came, for error sentences.
std::string describe(const nlohmann::json& value);

// "service.port: came 0, expected ..."
tl::unexpected<Error> wrong_field(const std::string& field, const nlohmann::json& came,
                                  const std::string& expected);

// "service.interface: came nothing, expected ..."
tl::unexpected<Error> missing_field(const std::string& field, const std::string& expected);

// The fields of one JSON object, read one by one; what nobody asked for ends up in warnings.
// Absent and null are the same. `object` must outlive it.
class JsonFields {
 public:
  // `path` is what error sentences call the object: "service", "service[3]".
  JsonFields(const nlohmann::json& object, std::string path)
      : object_(object), path_(std::move(path)) {}

  // Null where it is absent.
  const nlohmann::json* find(const std::string& name);
  // "" where it is absent. Fails where it is no string.
  Result<std::string> text(const std::string& name);
  Result<std::vector<std::string>> texts(const std::string& name);
  // Fails where it is no whole number from `min` to `max`; `numeric_text` allows "20880".
  Result<std::optional<std::uint64_t>> number(const std::string& name, std::uint64_t min,
                                              std::uint64_t max, bool numeric_text);
  // For fields that are ignored on purpose.
  void skip(const std::string& name) { known_.push_back(name); }

  std::string path_of(const std::string& name) const {
    return path_.empty() ? name : path_ + "." + name;
  }
  // A sentence for each field that nobody asked for, at most kMaxUnknownNamed by name.
  void warn_of_unknown(std::vector<std::string>& warnings) const;

 private:
  static constexpr std::size_t kMaxUnknownNamed = 20;

  const nlohmann::json& object_;
  std::string path_;
  std::vector<std::string> known_;
};

}  // namespace skiff::agent
