#include "forwarder/outbound/balancing/hash_ring.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <limits>

#include "forwarder/limits.h"

namespace skiff::forwarder {
namespace {

constexpr std::size_t kPointsPerDigest = 4;
using Digest = std::array<std::uint8_t, MD5_DIGEST_LENGTH>;

// Little-endian, as in Dubbo.
std::uint32_t point_of(const Digest& digest, std::size_t which) {
  std::uint32_t point = 0;
  for (std::size_t i = 0; i < sizeof(point); ++i) {
    point |= std::uint32_t{digest[which * sizeof(point) + i]} << (8 * i);
  }
  return point;
}

void update(MD5_CTX& md5, std::string_view text) {
  MD5Update(&md5, reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
}

Digest digest_of(std::string_view address, std::size_t counter) {
  std::array<char, std::numeric_limits<std::size_t>::digits10 + 1> text{};
  const auto written = std::to_chars(text.data(), text.data() + text.size(), counter);
  MD5_CTX md5{};
  MD5Init(&md5);
  update(md5, address);
  update(md5, {text.data(), written.ptr});
  Digest digest{};
  MD5Final(digest.data(), &md5);
  return digest;
}

}  // namespace

HashRing::HashRing(std::span<const std::string_view> addresses, std::size_t points) {
  if (addresses.empty()) return;
  const std::size_t most = std::min(points, limits::kHashPointsMax / addresses.size());
  const std::size_t digests = std::max<std::size_t>(most / kPointsPerDigest, 1);
  points_.reserve(addresses.size() * digests * kPointsPerDigest);
  for (std::uint32_t owner = 0; owner < addresses.size(); ++owner) {
    for (std::size_t counter = 0; counter < digests; ++counter) {
      const Digest digest = digest_of(addresses[owner], counter);
      for (std::size_t i = 0; i < kPointsPerDigest; ++i) {
        points_.push_back({point_of(digest, i), owner});
      }
    }
  }
  // Of several owners of one point the last one has it, as in Dubbo's map.
  std::ranges::sort(points_, [](const Point& a, const Point& b) {
    return a.at != b.at ? a.at < b.at : a.owner > b.owner;
  });
  const auto is_same = [](const Point& a, const Point& b) { return a.at == b.at; };
  points_.erase(std::unique(points_.begin(), points_.end(), is_same), points_.end());
}

std::size_t HashRing::first_at_or_after(std::uint32_t key) const {
  const auto found = std::ranges::lower_bound(points_, key, {}, &Point::at);
  return found == points_.end() ? 0 : static_cast<std::size_t>(found - points_.begin());
}

double HashRing::share(std::size_t place) const {
  constexpr double kAll = 4294967296.0;  // 2 to the power of 32
  if (points_.size() == 1) return 1;
  const std::uint32_t before = place == 0 ? points_.back().at : points_[place - 1].at;
  return static_cast<double>(points_[place].at - before) / kAll;  // wraps around
}

HashKey::HashKey() : md5_{} { MD5Init(&md5_); }

void HashKey::add(std::string_view text) { update(md5_, text); }

std::uint32_t HashKey::point() {
  Digest digest{};
  MD5Final(digest.data(), &md5_);
  return point_of(digest, 0);
}

}  // namespace skiff::forwarder
