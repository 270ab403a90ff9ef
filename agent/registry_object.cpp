#include "agent/registry_object.h"

#include <algorithm>
#include <array>

#include "dubbo/url.h"
#include "registry/registry_identity.h"

namespace skiff::agent {
namespace {

// %XX for everything that could end a value in an address.
std::string escaped(const std::string& text) {
  std::string result = dubbo::url_encode(text);
  // A plus stands for itself there, as in passwords that people write.
  for (std::size_t at = 0; (at = result.find('+', at)) != std::string::npos;) {
    result.replace(at, 1, "%20");
  }
  return result;
}

Result<registry::RegistryName> address_of(const std::string& type, const std::string& addr,
                                          const std::string& username, const std::string& password,
                                          const std::string& path) {
  if (type == "memory") return registry::RegistryName("memory");
  if (type != "zookeeper") {
    return wrong_field(path + ".type", type, R"("zookeeper" or "memory")");
  }
  if (addr.empty()) return wrong_field(path + ".addr", addr, "host:port[,host:port...]");
  // Its own fields say who it is; nothing may slip in through the address.
  if (addr.find_first_of("@?#") != std::string::npos || addr.find("://") != std::string::npos) {
    return wrong_field(path + ".addr", addr, "host:port[,host:port...][/chroot]");
  }
  registry::RegistryName name = "zookeeper://" + addr;
  if (!username.empty() || !password.empty()) {
    name += "?username=" + escaped(username) + "&password=" + escaped(password);
  }
  if (auto identity = registry::registry_identity(name); !identity) {
    return fail(ErrorCode::kInvalidArgument, path + ".addr: " + identity.error().message);
  }
  return name;
}

}  // namespace

Result<std::optional<registry::RegistryName>> read_registry(JsonFields& body,
                                                            std::vector<std::string>& warnings) {
  const nlohmann::json* value = body.find("registry");
  if (value == nullptr) return std::nullopt;
  const std::string path = body.path_of("registry");
  if (!value->is_object()) {
    return wrong_field(path, *value, "an object with the fields type and addr");
  }
  JsonFields fields(*value, path);
  std::array<std::string, 4> texts;
  static constexpr std::array<const char*, 4> kNames = {"type", "addr", "username", "password"};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    auto text = fields.text(kNames[i]);
    if (!text) {
      // Its value may be the password.
      return fail(ErrorCode::kInvalidArgument, fields.path_of(kNames[i]) + ": expected a string");
    }
    texts[i] = std::move(*text);
  }
  fields.warn_of_unknown(warnings);
  const bool is_empty =
      std::all_of(texts.begin(), texts.end(), [](const std::string& text) { return text.empty(); });
  if (is_empty) return std::nullopt;
  return address_of(texts[0], texts[1], texts[2], texts[3], path)
      .map([](registry::RegistryName name) { return std::optional(std::move(name)); });
}

}  // namespace skiff::agent
