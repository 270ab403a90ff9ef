#include "governance/tag/tag_document.h"

#include <algorithm>
#include <utility>

#include "governance/rule_limits.h"
#include "governance/yaml_fields.h"

namespace skiff::governance {
namespace {

constexpr std::string_view kVersionWithMatch = "v3.0";

class TagReader {
 public:
  explicit TagReader(const YamlFields& document)
      : document_(document),
        reads_match_(document.text("configVersion").starts_with(kVersionWithMatch)) {}

  void read(std::vector<DynamicTag>& tags) {
    if (!check_list(document_, "tags", kMaxRuleTags, "tags")) return;
    for (const YamlFields& fields : document_.maps("tags")) {
      DynamicTag tag;
      tag.name = fields.text("name");
      if (tag.name.empty()) fields.add_error("expected a name");
      read_addresses(fields, tag);
      if (reads_match_ && !tag.has_addresses) read_match(fields, tag);
      if (!too_large_.empty()) return;
      tags.push_back(std::move(tag));
    }
  }

  // Why the rule is refused as too large; empty where it is not.
  const std::string& too_large() const { return too_large_; }

 private:
  void read_addresses(const YamlFields& fields, DynamicTag& tag) {
    const YAML::Node list = fields.node("addresses");
    if (!fields.has("addresses") || !check_list(fields, "addresses", kMaxRuleValues, "addresses"))
      return;
    std::vector<std::string> texts;
    for (const YAML::Node& address : list) {
      if (!address.IsScalar()) {
        fields.add_error_at(address, "addresses", "expected a list of texts");
        continue;
      }
      texts.push_back(address.Scalar());
    }
    values_ += texts.size();
    if (!check_limit(values_, kMaxRuleValues, "addresses")) return;
    tag.has_addresses = !texts.empty();
    tag.addresses = TagAddresses(texts);
    expressions_ += tag.addresses.count_ranges();
    check_limit(expressions_, kMaxRuleExpressions, "ranges of addresses");
  }

  void read_match(const YamlFields& fields, DynamicTag& tag) {
    const std::size_t left = kMaxRuleExpressions - std::min(kMaxRuleExpressions, expressions_);
    if (!check_list(fields, "match", left, "parameters to match")) return;
    for (const YamlFields& one : fields.maps("match")) {
      const std::string key = one.text("key");
      const auto value = one.map("value");
      if (key.empty()) one.add_error("key", "expected the name of a parameter");
      if (!value) {
        one.add_error("value", "expected how the parameter is matched");
        continue;
      }
      tag.match.emplace_back(key, TextMatch::read(*value));
      ++expressions_;
    }
  }

  // False where there is no list of at most `limit`; adds an error where there is another thing.
  bool check_list(const YamlFields& fields, const char* key, std::size_t limit,
                  std::string_view of_what) {
    if (!fields.has(key)) return false;
    const YAML::Node list = fields.node(key);
    if (!list.IsSequence()) {
      fields.add_error(key, "expected a list");
      return false;
    }
    return check_limit(list.size(), limit, of_what);
  }

  bool check_limit(std::size_t count, std::size_t limit, std::string_view of_what) {
    if (count <= limit) return true;
    too_large_ = "more " + std::string(of_what) + " than a rule may have";
    return false;
  }

  const YamlFields& document_;
  bool reads_match_;
  std::size_t values_ = 0;
  std::size_t expressions_ = 0;
  std::string too_large_;
};

}  // namespace

Result<TagDocument> parse_tag_document(std::string_view yaml) {
  TagDocument parsed;
  std::string too_large;
  const auto read = read_yaml_map(yaml, [&](const YamlFields& document) {
    const bool valid = document.boolean("valid", true);
    if (!document.boolean("enabled", true) || !valid) return;
    parsed.force = document.boolean("force", false);
    TagReader reader(document);
    reader.read(parsed.tags);
    too_large = reader.too_large();
  });
  if (!too_large.empty()) return fail(ErrorCode::kTooLarge, too_large);
  if (!read) return tl::unexpected(read.error());
  return parsed;
}

}  // namespace skiff::governance
