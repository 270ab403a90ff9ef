#include <algorithm>
#include <cstdint>
#include <memory>
#include <set>
#include <utility>

#include "governance/configurators/configurator_rule.h"
#include "governance/yaml_fields.h"

// Documents "<key>.configurators", as Dubbo's ConfigParser reads them. Where Dubbo makes a URL of
// each address, service and application, here an address is a configurator, and they share the
// rest.
namespace skiff::governance {
namespace {

using Side = ConfiguratorTarget::Side;

// All texts in the lists of a document together: an alias in YAML repeats a long list in 3 bytes.
constexpr std::size_t kMaxListedTexts = 20'000;

// "interface", "group/interface:version" as Dubbo's rules write it, or "interface:version:group" as
// the document's own name is written; "*" for all, which is no key.
dubbo::ServiceKey parse_service(std::string_view text) {
  dubbo::ServiceKey key;
  if (const std::size_t slash = text.find('/'); slash != std::string_view::npos && slash > 0) {
    key.group = text.substr(0, slash);
    text.remove_prefix(slash + 1);
  }
  const std::size_t colon = text.find(':');
  key.interface = text.substr(0, colon);
  if (colon == std::string_view::npos) return key;
  std::string_view version = text.substr(colon + 1);
  if (const std::size_t second = version.find(':'); second != std::string_view::npos) {
    key.group = version.substr(second + 1);
    version = version.substr(0, second);
  }
  key.version = dubbo::normalized_version(version);
  return key;
}

class DocumentReader {
 public:
  explicit DocumentReader(std::string key) : key_(std::move(key)) {}

  void read(const YamlFields& document) {
    enabled_ = document.boolean("enabled", true);
    config_version_ = document.text("configVersion");
    of_application_ = document.text("scope") == "application";
    rule_key_ = document.text("key");
    if (rule_key_.empty()) {
      document.add_error("key: expected the application or service that the rule is for");
    }
    const auto items = document.maps("configs");
    if (!document.has("configs")) document.add_error("configs: expected a list");
    for (std::size_t i = 0; i < items.size() && has_room(document); ++i) {
      read_item(items[i], "configurator " + key_ + ", configs[" + std::to_string(i) + "]");
    }
  }

  Configurators take() { return std::move(configurators_); }

 private:
  bool has_room(const YamlFields& document) const {
    const bool fits =
        listed_texts_ <= kMaxListedTexts && configurators_.size() <= kMaxConfiguratorsPerDocument;
    if (!fits) {
      document.add_error("configs: over " + std::to_string(kMaxListedTexts) +
                         " addresses, services and applications, or over " +
                         std::to_string(kMaxConfiguratorsPerDocument) + " configurators");
    }
    return fits;
  }

  void read_item(const YamlFields& item, const std::string& name) {
    auto rule = std::make_shared<ConfiguratorRule>();
    rule->style = ConfiguratorRule::Style::kDubbo27;
    const std::string side = item.text("side");
    rule->side = side == "provider" ? Side::kProvider : Side::kConsumer;
    const std::vector<std::string> addresses = read_addresses(item, *rule);
    read_scope(item, *rule);
    read_parameters(item, *rule);
    const auto match = item.map("match");
    if (match && config_version_.starts_with("v3.0")) rule->match = ConditionMatch::read(*match);
    const bool applies = is_enabled(item) && (side == "provider" || side == "consumer");
    if (!applies || rule->parameters.empty()) return;
    for (const std::string& host : hosts_of(item, addresses)) {
      configurators_.push_back(make_configurator(name, {.host = host}, priority_, rule));
    }
  }

  std::vector<std::string> texts(const YamlFields& item, const char* key) {
    std::vector<std::string> list = item.texts(key);
    listed_texts_ += list.size();
    return list;
  }

  // `enabled` of an item counts only where its `type` is not "general".
  bool is_enabled(const YamlFields& item) const {
    const bool own = item.boolean("enabled", false);
    return item.text("type", "general") == "general" ? enabled_ : own;
  }

  std::vector<std::string> read_addresses(const YamlFields& item, ConfiguratorRule& rule) {
    std::vector<std::string> addresses = texts(item, "addresses");
    if (addresses.empty()) addresses = {std::string(kAnyHost)};
    rule.provider_addresses = texts(item, "providerAddresses");
    if (rule.provider_addresses.empty() && rule.side == Side::kProvider) {
      rule.provider_addresses = addresses;
    }
    return addresses;
  }

  // The host of each, once: the same parameters set twice are the same.
  static std::set<std::string> hosts_of(const YamlFields& item,
                                        const std::vector<std::string>& addresses) {
    std::set<std::string> hosts;
    for (const std::string& text : addresses) {
      if (auto address = dubbo::parse_host_port(text)) {
        hosts.insert(std::move(address->host));
      } else {
        item.add_error("addresses", address.error().message);
        break;
      }
    }
    return hosts;
  }

  void read_scope(const YamlFields& item, ConfiguratorRule& rule) {
    std::vector<std::string> services = {rule_key_};
    if (of_application_) {
      services = texts(item, "services");
      rule.applications = {rule_key_};
    } else {
      rule.applications = texts(item, "applications");
    }
    for (const std::string& service : services) rule.services.push_back(parse_service(service));
    if (std::ranges::find(services, "*") != services.end()) rule.services.clear();
    if (std::ranges::find(rule.applications, "*") != rule.applications.end()) {
      rule.applications.clear();
    }
  }

  void read_parameters(const YamlFields& item, ConfiguratorRule& rule) {
    const auto fields = item.map("parameters");
    const std::vector<std::string> keys = fields ? fields->keys() : std::vector<std::string>();
    if (keys.empty()) item.add_error("parameters: expected at least one to change");
    if (keys.size() > kMaxParametersPerConfigurator) {
      item.add_error("parameters", std::to_string(keys.size()) + " of them, the limit is " +
                                       std::to_string(kMaxParametersPerConfigurator));
      return;
    }
    std::map<std::string, std::string, std::less<>> parameters;
    for (const std::string& key : keys) {
      const std::optional<std::string> value = fields->optional_text(key.c_str());
      if (!value) {
        if (!fields->has(key.c_str())) fields->add_error(key.c_str(), "came nothing");
        continue;
      }
      // In the text of a URL these would end the parameter, and start another one.
      if ((key + *value).find('&') != std::string::npos || key.find('=') != std::string::npos) {
        fields->add_error(key.c_str(), "'&' and '=' cannot be part of a parameter");
      }
      parameters.emplace(key, *value);
    }
    priority_ = fields ? static_cast<int>(fields->integer("priority", 0, INT32_MIN, INT32_MAX)) : 0;
    set_parameters(parameters, rule);
  }

  std::string key_;
  bool enabled_ = true;
  bool of_application_ = false;
  std::string config_version_;
  std::string rule_key_;
  int priority_ = 0;  // of the item that is read
  std::size_t listed_texts_ = 0;
  Configurators configurators_;
};

// What Dubbo's consoles wrote before there were documents: ["override://...", "override://..."].
class UrlListReader {
 public:
  static bool reads(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(" \t\r\n");
    return begin != std::string_view::npos && text[begin] == '[';
  }

  void read(const YamlFields& document) {
    const auto urls = document.texts("urls");
    if (urls.size() > kMaxConfiguratorsPerDocument) document.add_error("too many URLs");
    for (const std::string& text : urls) {
      const auto url = dubbo::Url::parse(text);
      const auto parsed = url ? parse_configurator_url(*url) : tl::unexpected(url.error());
      if (!parsed) {
        document.add_error(parsed.error().message);
        return;
      }
      configurators_.insert(configurators_.end(), parsed->begin(), parsed->end());
    }
  }

  Configurators take() { return std::move(configurators_); }

 private:
  Configurators configurators_;
};

template <typename Reader>
Result<Configurators> read_with(Reader reader, std::string_view text) {
  const auto read = read_yaml_map(text, [&](const YamlFields& document) { reader.read(document); });
  if (!read) return tl::unexpected(read.error());
  Configurators configurators = reader.take();
  sort_configurators(configurators);
  return configurators;
}

}  // namespace

Result<Configurators> parse_configurators(const std::string& key, std::string_view yaml) {
  if (UrlListReader::reads(yaml)) {
    return read_with(UrlListReader(), "urls: " + std::string(yaml));
  }
  return read_with(DocumentReader(key), yaml);
}

}  // namespace skiff::governance
