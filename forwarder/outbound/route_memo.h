#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "governance/attachment_reads.h"
#include "governance/request_view.h"

namespace skiff::forwarder {

// What rules decided for the last requests of a method that differed in the attachments which they
// look at: consumers send the same ones again and again, and then a request costs what it costs to
// compare them, however many rules there are. Bounded; allocates nothing once its texts have grown.
// Lives on its worker's thread.
template <typename Outcome>
class RouteMemo {
 public:
  static constexpr std::size_t kEntries = 4;

  // nullptr where no request like this one was remembered.
  const Outcome* find(const governance::RequestView& request) const {
    for (std::size_t i = 0; i < used_; ++i) {
      if (entries_[i].is_like(request)) return &entries_[i].outcome;
    }
    return nullptr;
  }

  // `reads` are all that the outcome depends on, besides the method.
  void remember(const governance::AttachmentReads& reads, const Outcome& outcome) {
    Entry& entry = entries_[next_];
    next_ = (next_ + 1) % kEntries;
    if (used_ < kEntries) ++used_;
    entry.count = 0;
    for (const auto& read : reads.all()) {
      Text& text = entry.texts[entry.count++];
      text.key = read.key;
      text.is_there = read.value.has_value();
      text.value.assign(read.value.value_or(""));
    }
    entry.outcome = outcome;
  }

 private:
  struct Text {
    std::string_view key;
    bool is_there = false;
    std::string value;
  };
  struct Entry {
    std::array<Text, governance::AttachmentReads::kCapacity> texts;
    std::size_t count = 0;
    Outcome outcome;

    bool is_like(const governance::RequestView& request) const {
      for (std::size_t i = 0; i < count; ++i) {
        const auto value = request.attachment(texts[i].key);
        if (value.has_value() != texts[i].is_there || value.value_or("") != texts[i].value) {
          return false;
        }
      }
      return true;
    }
  };

  std::array<Entry, kEntries> entries_;
  std::size_t used_ = 0;
  std::size_t next_ = 0;
};

}  // namespace skiff::forwarder
