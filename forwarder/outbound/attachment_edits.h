#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

#include "forwarder/limits.h"

namespace skiff::forwarder {

// What filters do to the attachments of the request in hand. Names must outlive it; values are
// copied. Bounded, and allocates nothing. Lives on its worker's thread.
class AttachmentEdits {
 public:
  using Pair = std::pair<std::string_view, std::string_view>;

  // False where it does not fit any more.
  bool set(std::string_view name, std::string_view value) {
    if (sets_size_ == limits::kSetAttachmentsMax ||
        bytes_ + value.size() > limits::kSetAttachmentBytesMax) {
      return false;
    }
    char* copy = values_.data() + bytes_;
    if (!value.empty()) std::memcpy(copy, value.data(), value.size());
    sets_[sets_size_++] = {name, {copy, value.size()}};
    bytes_ += value.size();
    return true;
  }
  // What was set of that name before goes, too.
  void remove(std::string_view name) {
    const auto end = sets_.begin() + static_cast<std::ptrdiff_t>(sets_size_);
    const auto kept =
        std::remove_if(sets_.begin(), end, [name](const Pair& set) { return set.first == name; });
    sets_size_ = static_cast<std::size_t>(kept - sets_.begin());
    if (std::ranges::find(removals(), name) != removals().end()) return;
    has_too_many_removals_ = removals_size_ == limits::kRemovedAttachmentsMax;
    if (!has_too_many_removals_) removals_[removals_size_++] = name;
  }
  bool has_too_many_removals() const { return has_too_many_removals_; }

  std::span<const Pair> sets() const { return std::span(sets_).first(sets_size_); }
  std::span<const std::string_view> removals() const {
    return std::span(removals_).first(removals_size_);
  }
  bool empty() const { return sets_size_ == 0 && removals_size_ == 0; }
  bool sets_name(std::string_view name) const {
    for (const Pair& pair : sets()) {
      if (pair.first == name) return true;
    }
    return false;
  }

  // True the first time since clear().
  bool note_left_out() { return !std::exchange(is_left_out_, true); }

  void clear() {
    sets_size_ = removals_size_ = bytes_ = 0;
    has_too_many_removals_ = is_left_out_ = false;
  }
  // What was set since keep() goes; what was before stays. Nothing is removed in between.
  void keep() { kept_ = {.sets_size = sets_size_, .bytes = bytes_}; }
  void back_to_kept() {
    sets_size_ = kept_.sets_size;
    bytes_ = kept_.bytes;
  }

 private:
  std::array<Pair, limits::kSetAttachmentsMax> sets_;
  std::array<std::string_view, limits::kRemovedAttachmentsMax> removals_;
  std::array<char, limits::kSetAttachmentBytesMax> values_{};
  std::size_t sets_size_ = 0;
  std::size_t removals_size_ = 0;
  std::size_t bytes_ = 0;
  bool has_too_many_removals_ = false;
  bool is_left_out_ = false;  // something of it
  struct Kept {
    std::size_t sets_size = 0;
    std::size_t bytes = 0;
  };
  Kept kept_;
};

}  // namespace skiff::forwarder
