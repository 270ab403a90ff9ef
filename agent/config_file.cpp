#include "agent/config_file.h"

#include <yaml-cpp/yaml.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>

#include "agent/nearest_name.h"
#include "agent/settings.h"
#include "agent/text.h"
#include "governance/filters/filter_reader.h"
#include "governance/static_routes/limits.h"
#include "governance/static_routes/static_routes.h"
#include "governance/yaml_fields.h"

namespace skiff::agent {
namespace {

constexpr const char* kRoutesKey = "routes";
constexpr const char* kFiltersKey = "filters";
constexpr std::size_t kMaxFileBytes = std::size_t{1} << 20;

std::string at_line(const std::string& name, const YAML::Mark& mark) {
  return mark.is_null() ? name : name + ":" + std::to_string(mark.line + 1);
}

std::string kind_of(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Scalar:
      return in_quotes(node.Scalar());
    case YAML::NodeType::Sequence:
      return "a list";
    case YAML::NodeType::Map:
      return "a map";
    default:
      return "nothing";
  }
}

std::string unknown_key(const std::string& key) {
  std::vector<std::string> known = {kRoutesKey, kFiltersKey};
  for (const Setting& setting : settings()) known.emplace_back(setting.key);
  const std::string guess = did_you_mean(key, known);
  return "unknown key " + in_quotes(key) +
         (guess.empty() ? "; `skiff run --help` lists all" : guess);
}

class Reader {
 public:
  explicit Reader(const std::string& name) : name_(name) {}

  SourceReading read(const YAML::Node& root) {
    if (root.IsNull()) return std::move(reading_);
    if (!root.IsMap()) {
      add_error(root, "came " + kind_of(root) + ", expected a map of keys and values");
      return std::move(reading_);
    }
    for (const auto& entry : root) read_entry(root, entry.first, entry.second);
    check_routes(root);
    return std::move(reading_);
  }

 private:
  void add_error(const YAML::Node& node, const std::string& sentence) {
    reading_.errors.push_back(at_line(name_, node.Mark()) + ": " + sentence);
  }

  void read_entry(const YAML::Node& root, const YAML::Node& key_node, const YAML::Node& node) {
    if (!key_node.IsScalar()) return add_error(key_node, "a key must be a name");
    const std::string& key = key_node.Scalar();
    const Setting* setting = find_setting(key);
    if (setting == nullptr && key != kRoutesKey && key != kFiltersKey) {
      return add_error(key_node, unknown_key(key));
    }
    const auto [first, is_new] = lines_.emplace(key, key_node.Mark().line + 1);
    if (!is_new) {
      return add_error(key_node,
                       key + ": given twice, first in line " + std::to_string(first->second));
    }
    if (key == kRoutesKey) return read_routes(root, key_node);
    if (key == kFiltersKey) return read_file_filters(root);
    SourcedValue value{.key = key, .values = {}, .origin = at_line(name_, key_node.Mark())};
    if (!read_values(*setting, node, value)) {
      return add_error(key_node,
                       key + ": came " + kind_of(node) + ", expected " +
                           (setting->is_list ? "a value or a list of values" : "one value"));
    }
    AgentConfig scratch;
    if (const auto applied = setting->apply(scratch, value.values); !applied) {
      return add_error(key_node, key + ": " + applied.error().message);
    }
    reading_.values.push_back(std::move(value));
  }

  void read_routes(const YAML::Node& root, const YAML::Node& key_node) {
    std::vector<std::string> errors;
    const governance::YamlFields fields(root, "", errors);
    const std::size_t count = fields.node(kRoutesKey).size();
    if (count > governance::kMaxVirtualHosts) {
      return add_error(key_node, "routes: came " + std::to_string(count) +
                                     " of them, the limit is " +
                                     std::to_string(governance::kMaxVirtualHosts));
    }
    for (const governance::YamlFields& item : fields.maps(kRoutesKey)) {
      reading_.routes.push_back(
          std::make_shared<const governance::VirtualHost>(governance::read_virtual_host(item)));
    }
    for (const std::string& error : errors) reading_.errors.push_back(located(error));
  }

  void read_file_filters(const YAML::Node& root) {
    std::vector<std::string> errors;
    const governance::YamlFields fields(root, "", errors);
    reading_.filters = governance::read_filters(fields, governance::FilterScope::kFile, {});
    for (const std::string& error : errors) reading_.errors.push_back(located(error));
  }

  // Whether they go together.
  void check_routes(const YAML::Node& root) {
    if (!reading_.errors.empty()) return;
    const auto all = governance::StaticRoutes::of(reading_.routes, reading_.filters);
    if (all) return;
    for (const auto& entry : root) {
      if (!entry.first.IsScalar() || entry.first.Scalar() != kRoutesKey) continue;
      return add_error(entry.first, "routes: " + all.error().message);
    }
  }

  // "line 3: routes[0]: ..." as errors of this file begin: "skiff.yaml:3: routes[0]: ..."
  std::string located(const std::string& error) const {
    constexpr std::string_view kLine = "line ";
    return error.starts_with(kLine) ? name_ + ":" + error.substr(kLine.size())
                                    : name_ + ": " + error;
  }

  static bool read_values(const Setting& setting, const YAML::Node& node, SourcedValue& value) {
    if (node.IsScalar()) {
      value.values.push_back(node.Scalar());
      return true;
    }
    if (!node.IsSequence() || !setting.is_list) return false;
    for (const YAML::Node& item : node) {
      if (!item.IsScalar()) return false;
      value.values.push_back(item.Scalar());
    }
    return true;
  }

  const std::string& name_;
  std::map<std::string, int> lines_;  // of the keys seen
  SourceReading reading_;
};

}  // namespace

SourceReading parse_config_text(std::string_view text, const std::string& name) {
  try {
    return Reader(name).read(YAML::Load(std::string(text)));
  } catch (const YAML::Exception& exception) {
    return {.values = {},
            .routes = {},
            .errors = {at_line(name, exception.mark) + ": not YAML: " + exception.msg}};
  }
}

SourceReading read_config_file(const std::string& path) {
  const auto cannot_read = [&path](const std::string& why) {
    return SourceReading{.values = {}, .routes = {}, .errors = {path + ": cannot be read: " + why}};
  };
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return cannot_read(std::strerror(errno));
  std::string text(kMaxFileBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad() || (file.gcount() == 0 && !file.eof())) return cannot_read(std::strerror(errno));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kMaxFileBytes) return cannot_read("it is larger than 1 MiB");
  return parse_config_text(text, path);
}

}  // namespace skiff::agent
