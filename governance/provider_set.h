#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace skiff::governance {

// Some of the providers of a cluster, by their index in Cluster::providers. Sets that are combined
// have the same size(). Copying one over another of the same size allocates nothing.
class ProviderSet {
 public:
  ProviderSet() = default;
  static ProviderSet none(std::size_t size) { return ProviderSet(size); }
  static ProviderSet all(std::size_t size) {
    ProviderSet set(size);
    for (std::size_t i = 0; i < size; i += kBits) {
      const std::size_t left = size - i;
      set.word_of(i) = ~std::uint64_t{0} >> (left < kBits ? kBits - left : 0);
    }
    return set;
  }

  std::size_t size() const { return size_; }  // of the cluster
  bool contains(std::size_t i) const { return (word_of(i) >> (i % kBits) & 1U) != 0; }
  void add(std::size_t i) { word_of(i) |= std::uint64_t{1} << (i % kBits); }
  void remove(std::size_t i) { word_of(i) &= ~(std::uint64_t{1} << (i % kBits)); }

  std::size_t count() const {
    auto sum = static_cast<std::size_t>(std::popcount(first_));
    for (const std::uint64_t word : others_) sum += static_cast<std::size_t>(std::popcount(word));
    return sum;
  }
  bool empty() const {
    if (first_ != 0) return false;
    for (const std::uint64_t word : others_) {
      if (word != 0) return false;
    }
    return true;
  }
  bool intersects(const ProviderSet& other) const {
    if ((first_ & other.first_) != 0) return true;
    for (std::size_t i = 0; i < others_.size(); ++i) {
      if ((others_[i] & other.others_[i]) != 0) return true;
    }
    return false;
  }

  ProviderSet& operator&=(const ProviderSet& other) {
    first_ &= other.first_;
    for (std::size_t i = 0; i < others_.size(); ++i) others_[i] &= other.others_[i];
    return *this;
  }
  ProviderSet& operator|=(const ProviderSet& other) {
    first_ |= other.first_;
    for (std::size_t i = 0; i < others_.size(); ++i) others_[i] |= other.others_[i];
    return *this;
  }
  ProviderSet& operator-=(const ProviderSet& other) {
    first_ &= ~other.first_;
    for (std::size_t i = 0; i < others_.size(); ++i) others_[i] &= ~other.others_[i];
    return *this;
  }
  bool operator==(const ProviderSet&) const = default;

  template <typename Visit>
  void for_each(Visit visit) const {
    for (std::size_t begin = 0; begin < size_; begin += kBits) {
      for (std::uint64_t word = word_of(begin); word != 0; word &= word - 1) {
        visit(begin + static_cast<std::size_t>(std::countr_zero(word)));
      }
    }
  }

  std::uint64_t hash() const {
    std::uint64_t value = (0xcbf29ce484222325ULL ^ first_) * kHashFactor;
    for (const std::uint64_t word : others_) value = (value ^ word) * kHashFactor;
    return value ^ value >> 32U;
  }

 private:
  static constexpr std::size_t kBits = 64;
  static constexpr std::uint64_t kHashFactor = 0x9e3779b97f4a7c15ULL;
  explicit ProviderSet(std::size_t size)
      : size_(size), others_(size > kBits ? (size - 1) / kBits : 0) {}

  std::uint64_t& word_of(std::size_t i) { return i < kBits ? first_ : others_[i / kBits - 1]; }
  std::uint64_t word_of(std::size_t i) const { return i < kBits ? first_ : others_[i / kBits - 1]; }

  std::size_t size_ = 0;
  std::uint64_t first_ = 0;  // most clusters have no more than 64 providers
  std::vector<std::uint64_t> others_;
};

}  // namespace skiff::governance
