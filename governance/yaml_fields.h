#pragma once

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dubbo/result.h"

namespace skiff::governance {

// Larger rules are refused.
inline constexpr std::size_t kMaxRuleBytes = std::size_t{256} * 1024;
// And those whose values, aliases written out, make up more: the bytes of texts, and 16 for each
// value.
inline constexpr std::size_t kMaxExpandedBytes = std::size_t{1024} * 1024;
inline constexpr std::size_t kMaxMapKeys = 500;
// What is wrong beyond so many errors is not said: a hostile document could have any number.
inline constexpr std::size_t kMaxRuleErrors = 1000;

// The fields of a map in a YAML document. What is wrong is added to `errors`, each with its line;
// reading goes on with the fallback, so that all that is wrong is said at once.
class YamlFields {
 public:
  // `where` names the map in errors: "conditions[2]", or "" for the document itself.
  YamlFields(const YAML::Node& node, std::string where, std::vector<std::string>& errors);

  bool has(const char* key) const;  // and is not null
  std::string text(const char* key, std::string fallback = {}) const;
  std::optional<std::string> optional_text(const char* key) const;
  bool boolean(const char* key, bool fallback) const;
  std::int64_t integer(const char* key, std::int64_t fallback, std::int64_t min,
                       std::int64_t max) const;
  // A list of scalars, or a scalar alone; empty where absent.
  std::vector<std::string> texts(const char* key) const;
  // The maps of a list; empty where absent.
  std::vector<YamlFields> maps(const char* key) const;
  // A map; nullopt where absent.
  std::optional<YamlFields> map(const char* key) const;
  // Any value; undefined where absent.
  YAML::Node node(const char* key) const;
  // The map itself.
  const YAML::Node& whole() const { return node_; }
  // At most kMaxMapKeys; an error where there are more: a key is searched among all others.
  std::vector<std::string> keys() const;

  // Adds an error about `key` of this map, or about the map itself.
  void add_error(const char* key, const std::string& sentence) const;
  void add_error(const std::string& sentence) const;
  // Adds an error about a value inside this map; `place` says where: "conditions[2]".
  void add_error_at(const YAML::Node& value, std::string_view place,
                    const std::string& sentence) const;
  // Adds an error for each key that is none of these, or is given twice.
  void refuse_others_than(std::span<const std::string_view> known) const;
  void refuse_others_than(std::initializer_list<std::string_view> known) const {
    refuse_others_than(std::span(known.begin(), known.size()));
  }

 private:
  std::string path_of(std::string_view key) const;
  bool has_said_enough() const { return errors_->size() >= kMaxRuleErrors; }

  YAML::Node node_;
  std::string where_;
  std::vector<std::string>* errors_;
};

// Parses `text` and calls `read` with its map. Fails with kTooLarge, or with kMalformed and all
// that is wrong (the first 20) in one message: "line 3: conditions[0]: ...; line 5: ...". `read`
// may throw what yaml-cpp throws.
Result<void> read_yaml_map(std::string_view text,
                           const std::function<void(const YamlFields& fields)>& read);
// The same for each of the documents in `text`, which "---" separates; empty ones are none, and
// more than kMaxDocuments are refused.
inline constexpr std::size_t kMaxDocuments = 100;
Result<void> read_yaml_maps(std::string_view text,
                            const std::function<void(const YamlFields& fields)>& read);

}  // namespace skiff::governance
