#include "governance/filters/limit_keys.h"

#include <cstdint>
#include <functional>
#include <vector>

#include "governance/static_routes/limits.h"

namespace skiff::governance {
namespace {

// "127.0.0.1:51234" without the port: each connection of a caller has another one.
std::string_view host_of(std::string_view address) { return address.substr(0, address.rfind(':')); }

std::string_view caller_of(const RequestFacts& facts) {
  return facts.application.empty() ? host_of(facts.caller_address) : facts.application;
}

std::uint64_t mixed(std::uint64_t seed, std::string_view text) {
  // As boost::hash_combine, for 64 bits.
  return seed ^ (std::hash<std::string_view>{}(text) + 0x9e3779b97f4a7c15ULL + (seed << 12U) +
                 (seed >> 4U));
}

}  // namespace

std::uint64_t LimitKeys::of(const RequestFacts& facts) const {
  std::uint64_t key = 1;
  if (service) key = mixed(key, facts.interface);
  if (method) key = mixed(key, facts.method);
  if (caller) key = mixed(key, caller_of(facts));
  return key == 0 ? 1 : key;
}

std::string LimitKeys::to_string() const {
  std::string text;
  const auto add = [&text](bool is_one, const char* name) {
    if (is_one) text += (text.empty() ? "each " : " and ") + std::string(name);
  };
  add(service, "service");
  add(method, "method");
  add(caller, "caller");
  return text.empty() ? "all requests" : text;
}

std::string LimitKeys::to_string(const RequestFacts& facts) const {
  std::string text;
  const auto add = [&text](bool is_one, const char* name, std::string_view value) {
    if (is_one) text += (text.empty() ? "" : ", ") + (name + std::string(value));
  };
  add(service, "service ", facts.interface);
  add(method, "method ", facts.method);
  add(caller, "caller ", caller_of(facts));
  return text.empty() ? "all requests" : text;
}

KeyedCells cells_for(const LimitKeys& keys) {
  return KeyedCells(keys.any() ? KeyedCells::kCells : 1);
}

LimitKeys read_limit_keys(const YamlFields& fields) {
  LimitKeys keys;
  for (const std::string& word : fields.texts("by")) {
    if (word == "service") {
      keys.service = true;
    } else if (word == "method") {
      keys.method = true;
    } else if (word == "caller") {
      keys.caller = true;
    } else {
      fields.add_error("by", "came '" + word.substr(0, kMaxRouteNameBytes) +
                                 "', expected service, method or caller");
    }
  }
  return keys;
}

}  // namespace skiff::governance
