#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

// How large static routes may be. What is over a limit is refused, and the sentence names it.
namespace skiff::governance {

inline constexpr std::size_t kMaxVirtualHosts = 1'000;
inline constexpr std::size_t kMaxDomains = 256;            // of a virtual host
inline constexpr std::size_t kMaxRouteEntries = 256;       // of a virtual host
inline constexpr std::size_t kMaxAttachmentMatchers = 16;  // of an entry
inline constexpr std::size_t kMaxWeightedClusters = 16;    // of an entry
inline constexpr std::size_t kMaxStaticClusters = 128;     // of a virtual host
inline constexpr std::size_t kMaxSubsetLabels = 16;        // of a cluster
inline constexpr std::size_t kMaxStaticHosts = 1'000;      // of a cluster
inline constexpr std::size_t kMaxFilterBytes = 32 << 20;   // that filters count in, together
inline constexpr std::size_t kMaxRouteNameBytes = 128;     // of anything that has a name
inline constexpr std::size_t kMaxRouteTextBytes = 1'024;   // to compare with
inline constexpr std::int64_t kMaxHostWeight = 128;
inline constexpr std::int64_t kWeightSum = 100;  // of weighted clusters
inline constexpr std::int64_t kMaxRouteRetries = 10;
inline constexpr std::chrono::hours kMaxRouteTimeout{1};

// Regular expressions (regex.h).
inline constexpr std::size_t kMaxRegexBytes = 256;
inline constexpr std::size_t kMaxRegexPositions = 256;    // places where a byte is compared
inline constexpr std::size_t kMaxRegexDepth = 32;         // of groups
inline constexpr std::size_t kMaxRegexSteps = 10'000;     // to compile one; x{2}{2} takes many
inline constexpr std::size_t kMaxRegexTextBytes = 4'096;  // longer texts match none

}  // namespace skiff::governance
