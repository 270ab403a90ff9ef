#pragma once

#include <cstddef>
#include <vector>

#include "dubbo/bytes.h"
#include "dubbo/request.h"

namespace skiff::dubbo {

// The head and the attachments that were read last from a hessian2 body, with copies of their
// bytes. Consumers write the same ones for every call of a method, and comparing bytes takes a
// quarter of the time of reading them. Reading goes from left to right, so equal bytes mean the
// same. Of each only one is kept, and only where its texts are the bytes themselves.
class RequestMemo {
 public:
  RequestMemo() {
    head_bytes_.reserve(kMaxBytes);
    attachment_bytes_.reserve(kMaxBytes);
  }

  // nullptr where `body` does not begin with the head that is kept. Views live until the next
  // keep_head().
  const RequestHead* head_of(Bytes body) const;
  void keep_head(Bytes body, const RequestHead& head);

  // nullptr where `bytes` are not those that are kept. Views live until the next
  // keep_attachments().
  const Attachments* attachments_of(Bytes bytes) const;
  void keep_attachments(Bytes bytes, const Attachments& attachments);

 private:
  static constexpr std::size_t kMaxBytes = 1024;  // of either

  std::vector<std::byte> head_bytes_;
  RequestHead head_;
  std::vector<std::byte> attachment_bytes_;
  Attachments attachments_;
};

}  // namespace skiff::dubbo
