#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "dubbo/request.h"
#include "governance/attachment_reads.h"

namespace skiff::governance {

// The arguments of a request as rules compare them: numbers and booleans in decimal and as
// "true"/"false", texts as they are. Views live until the next call.
class ArgumentTexts {
 public:
  virtual ~ArgumentTexts() = default;
  // nullopt where there is no such argument, where it is no text, number or boolean, or cannot be
  // read.
  virtual std::optional<std::string_view> text(std::size_t index) = 0;
};

// What rules may look at in a request. The views live as long as the request.
struct RequestView {
  std::string_view method;                          // of a generic call the one that it names
  const dubbo::Attachments* attachments = nullptr;  // never null; empty where they cannot be read
  ArgumentTexts* arguments = nullptr;               // null: cannot be read

  std::optional<std::string_view> attachment(std::string_view key) const {
    if (found_key != key || !was_found) {
      found_value = attachments->find(key);
      found_key = key;
      was_found = true;
      if (reads != nullptr) reads->note(key, found_value);
    }
    return found_value;
  }
  std::optional<std::string_view> argument(std::size_t index) const {
    if (reads != nullptr) reads->note_other();
    return arguments == nullptr ? std::nullopt : arguments->text(index);
  }

  // Must follow where one was set or removed.
  void attachments_changed() { was_found = false; }
  // From now on, what rules look at is noted in `in`, until end_noting().
  void begin_noting(AttachmentReads& in) const {
    was_found = false;
    reads = &in;
  }
  void end_noting() const { reads = nullptr; }

  // Of the calls above: what is noted, and what attachment() was asked for last, since many rules
  // look at the same one.
  mutable AttachmentReads* reads = nullptr;
  mutable std::string_view found_key = {};
  mutable std::optional<std::string_view> found_value = {};
  mutable bool was_found = false;
};

}  // namespace skiff::governance
