#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace skiff::registry {

// What a registry keeps rules about.
struct RuleSubject {
  enum class Kind : std::uint8_t {
    kInterface,  // its rule URLs, as Dubbo 2.6 writes them: /dubbo/<name>/configurators, /routers
    kDocuments   // the documents whose keys are `name` and the suffix of a DocumentKind
  };

  Kind kind = Kind::kInterface;
  // An interface; of documents: a service as "com.example.Demo:1.0:group", or an application.
  std::string name;

  auto operator<=>(const RuleSubject&) const = default;  // NOLINT(modernize-use-nullptr)

  static RuleSubject urls_of(const std::string& interface) { return {Kind::kInterface, interface}; }
  static RuleSubject documents_of(std::string name) { return {Kind::kDocuments, std::move(name)}; }
  // Of one service: both colons always stand (DynamicConfiguration.getRuleKey).
  static RuleSubject documents_of(std::string_view interface, std::string_view version,
                                  std::string_view group) {
    std::string name(interface);
    name.append(":").append(version).append(":").append(group);
    return {Kind::kDocuments, std::move(name)};
  }
  // For sentences.
  std::string to_string() const {
    return (kind == Kind::kInterface ? "rule URLs of " : "rule documents of ") + name;
  }
};

// The kinds of documents, as bits of a set.
enum DocumentKinds : std::uint8_t {
  kNoDocuments = 0,
  kConfigurators = 1U << 0U,
  kConditionRouter = 1U << 1U,
  kScriptRouter = 1U << 2U,
  kTagRouter = 1U << 3U,
  kMeshAppRule = 1U << 4U,
};

inline constexpr std::array<std::string_view, 5> kDocumentSuffixes = {
    ".configurators", ".condition-router", ".script-router", ".tag-router", ".MESHAPPRULE"};

// The subject's name and the kind; empty where the key is not that of a rule.
struct DocumentKey {
  std::string_view subject;
  DocumentKinds kind;
};
inline std::optional<DocumentKey> parse_document_key(std::string_view key) {
  const std::size_t dot = std::min(key.rfind('.'), key.size());
  const auto* const suffix = std::ranges::find(kDocumentSuffixes, key.substr(dot));
  if (suffix == kDocumentSuffixes.end()) return std::nullopt;
  const auto bit = static_cast<unsigned>(suffix - kDocumentSuffixes.begin());
  return DocumentKey{key.substr(0, dot), static_cast<DocumentKinds>(1U << bit)};
}

}  // namespace skiff::registry
