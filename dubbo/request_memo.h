#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "dubbo/bytes.h"
#include "dubbo/request.h"

namespace skiff::dubbo {

// The head and the attachments that were read last from a hessian2 body, with copies of their
// bytes. Consumers write the same ones for every call of a method, and comparing bytes takes a
// quarter of the time of reading them. Reading goes from left to right, so equal bytes mean the
// same. Of each only one is kept, and only where its texts are the bytes themselves. Keeping takes
// as long as reading, so what is kept gives way at once only where it was of use; where every
// request differs from the one before, few are copied.
class RequestMemo {
 public:
  RequestMemo() {
    head_bytes_.reserve(kMaxBytes);
    attachment_bytes_.reserve(kMaxBytes);
  }

  // nullptr where `body` does not begin with the head that is kept. Views live until the next
  // offer_head().
  const RequestHead* head_of(Bytes body);
  // A head that head_of() did not know.
  void offer_head(Bytes body, const RequestHead& head);

  // nullptr where `bytes` are not those that are kept. Views live until the next
  // offer_attachments().
  const Attachments* attachments_of(Bytes bytes);
  // Attachments that attachments_of() did not know.
  void offer_attachments(Bytes bytes, const Attachments& attachments);

 private:
  static constexpr std::size_t kMaxBytes = 1024;  // of either

  // When what is kept gives way to what is offered.
  class Tenure {
   public:
    void use() { was_used_ = true; }
    bool gives_way() {
      if (!was_used_ && ++offers_ < kOffersToReplaceUnused) return false;
      was_used_ = false;
      offers_ = 0;
      return true;
    }

   private:
    static constexpr std::uint8_t kOffersToReplaceUnused = 16;
    bool was_used_ = true;     // the first offer gets the place
    std::uint8_t offers_ = 0;  // since it came
  };

  std::vector<std::byte> head_bytes_;
  RequestHead head_;
  Tenure head_tenure_;
  std::vector<std::byte> attachment_bytes_;
  Attachments attachments_;
  Tenure attachment_tenure_;
};

}  // namespace skiff::dubbo
