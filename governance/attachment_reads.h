#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace skiff::governance {

// What rules looked at in a request, besides its method: attachments, each once. Two requests for
// one method of which the same was read, with the same values, went the same way.
class AttachmentReads {
 public:
  static constexpr std::size_t kCapacity = 8;
  static constexpr std::size_t kValueBytesMax = 128;

  struct Read {
    std::string_view key;                   // lives as long as the rules
    std::optional<std::string_view> value;  // of the request; nullopt: not there
  };

  void note(std::string_view key, std::optional<std::string_view> value) {
    for (const Read& read : all()) {
      if (read.key == key) return;
    }
    if (size_ == kCapacity || (value && value->size() > kValueBytesMax)) return note_other();
    reads_[size_++] = {key, value};
  }
  // Something else was read, or more than is kept.
  void note_other() { is_all_ = false; }

  bool is_all() const { return is_all_; }
  std::span<const Read> all() const { return std::span(reads_).first(size_); }

 private:
  std::array<Read, kCapacity> reads_;
  std::size_t size_ = 0;
  bool is_all_ = true;
};

}  // namespace skiff::governance
