#pragma once

#include <compare>
#include <string>
#include <string_view>

namespace skiff::dubbo {

// On the wire and in URLs "0.0.0" and an absent version are the same (protocol.md 2, "Matching");
// inside Skiff it is "".
inline std::string_view normalized_version(std::string_view version) {
  return version == "0.0.0" ? std::string_view{} : version;
}

// What identifies a service: an absent group or version is the empty string. In a subscription
// group and version may be "*", and group a comma list.
struct ServiceKey {
  std::string interface;
  std::string group;
  std::string version;  // normalized

  auto operator<=>(const ServiceKey&) const = default;  // NOLINT(modernize-use-nullptr)

  // Dubbo's spelling: "group/interface:version", absent parts left out.
  std::string to_string() const;
};

// True where `provider` is one that a consumer asking for `wanted` may be given:
// the interface is equal, or wanted's is "*"; the group is equal, or "*", or in wanted's comma
// list; the version is equal or "*". Absent matches only absent.
bool matches(const ServiceKey& wanted, const ServiceKey& provider);
// Its two halves: `wanted` may be "*", and a group may be a comma list.
bool group_matches(std::string_view wanted, std::string_view provided);
bool version_matches(std::string_view wanted, std::string_view provided);

}  // namespace skiff::dubbo
