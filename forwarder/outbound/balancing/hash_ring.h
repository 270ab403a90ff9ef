#pragma once

#include <md5.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace skiff::forwarder {

// Dubbo's ConsistentHashLoadBalance as a table: each address has points on a ring of 32 bits, four
// from each MD5 of the address and a counter ("10.0.0.5:208800", "10.0.0.5:208801", ...). A key
// belongs to whoever has the first point at or after its own. Who leaves, leaves its keys to
// others; all others stay where they are. Immutable.
class HashRing {
 public:
  HashRing() = default;
  // `points` for each address, a multiple of four; fewer where there would be more than
  // limits::kHashPointsMax.
  HashRing(std::span<const std::string_view> addresses, std::size_t points);

  std::size_t size() const { return points_.size(); }
  // Where the walk for a key begins. The ring must not be empty.
  std::size_t first_at_or_after(std::uint32_t key) const;
  std::size_t next(std::size_t place) const { return place + 1 < points_.size() ? place + 1 : 0; }
  // The index of the address whose point that is.
  std::uint32_t owner(std::size_t place) const { return points_[place].owner; }
  // What part of all keys leads to that point.
  double share(std::size_t place) const;

 private:
  struct Point {
    std::uint32_t at;
    std::uint32_t owner;
  };
  std::vector<Point> points_;  // ascending, each value once
};

// The point of a key, of which the pieces are added one after the other. Allocates nothing.
class HashKey {
 public:
  HashKey();
  void add(std::string_view text);
  std::uint32_t point();  // once

 private:
  MD5_CTX md5_;
};

}  // namespace skiff::forwarder
