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
    for (std::uint64_t& word : set.words_) word = ~std::uint64_t{0};
    if (const std::size_t rest = size % kBits; rest != 0) {
      set.words_.back() >>= kBits - rest;
    }
    return set;
  }

  std::size_t size() const { return size_; }  // of the cluster
  bool contains(std::size_t i) const { return (words_[i / kBits] >> (i % kBits) & 1U) != 0; }
  void add(std::size_t i) { words_[i / kBits] |= std::uint64_t{1} << (i % kBits); }
  void remove(std::size_t i) { words_[i / kBits] &= ~(std::uint64_t{1} << (i % kBits)); }

  std::size_t count() const {
    std::size_t sum = 0;
    for (const std::uint64_t word : words_) sum += static_cast<std::size_t>(std::popcount(word));
    return sum;
  }
  bool empty() const {
    for (const std::uint64_t word : words_) {
      if (word != 0) return false;
    }
    return true;
  }
  bool intersects(const ProviderSet& other) const {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      if ((words_[i] & other.words_[i]) != 0) return true;
    }
    return false;
  }

  ProviderSet& operator&=(const ProviderSet& other) {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] &= other.words_[i];
    return *this;
  }
  ProviderSet& operator|=(const ProviderSet& other) {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] |= other.words_[i];
    return *this;
  }
  ProviderSet& operator-=(const ProviderSet& other) {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] &= ~other.words_[i];
    return *this;
  }
  bool operator==(const ProviderSet&) const = default;

  template <typename Visit>
  void for_each(Visit visit) const {
    for (std::size_t w = 0; w < words_.size(); ++w) {
      for (std::uint64_t word = words_[w]; word != 0; word &= word - 1) {
        visit(w * kBits + static_cast<std::size_t>(std::countr_zero(word)));
      }
    }
  }

  std::uint64_t hash() const {
    std::uint64_t value = 0xcbf29ce484222325ULL;
    for (const std::uint64_t word : words_) value = (value ^ word) * 0x9e3779b97f4a7c15ULL;
    return value ^ value >> 32U;
  }

 private:
  static constexpr std::size_t kBits = 64;
  explicit ProviderSet(std::size_t size) : size_(size), words_((size + kBits - 1) / kBits) {}

  std::size_t size_ = 0;
  std::vector<std::uint64_t> words_;
};

}  // namespace skiff::governance
