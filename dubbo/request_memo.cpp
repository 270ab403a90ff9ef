#include "dubbo/request_memo.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <string_view>

namespace skiff::dubbo {
namespace {

bool lies_in(std::string_view text, Bytes bytes) {
  const std::string_view all = as_text(bytes);
  return text.empty() || (std::greater_equal<>()(text.data(), all.data()) &&
                          std::less_equal<>()(text.data() + text.size(), all.data() + all.size()));
}

// `text`, which lies in `bytes`, in their copy.
std::string_view moved(std::string_view text, Bytes bytes, const std::vector<std::byte>& copy) {
  if (text.empty()) return {};
  const auto offset = static_cast<std::size_t>(text.data() - as_text(bytes).data());
  return as_text(copy).substr(offset, text.size());
}

std::array<std::string_view, 5> texts_of(const RequestHead& head) {
  return {head.protocol_version, head.path, head.version, head.method, head.parameter_types};
}

bool can_keep(Bytes bytes, const RequestHead& head) {
  return std::ranges::all_of(texts_of(head),
                             [bytes](std::string_view text) { return lies_in(text, bytes); });
}

bool can_keep(Bytes bytes, const Attachments& attachments) {
  if (attachments.dropped() > 0) return false;
  for (std::size_t i = 0; i < attachments.size(); ++i) {
    const auto& [key, value] = attachments[i];
    if (!lies_in(key, bytes) || !lies_in(value, bytes)) return false;
  }
  return true;
}

}  // namespace

const RequestHead* RequestMemo::head_of(Bytes body) {
  const std::size_t size = head_bytes_.size();
  const bool is_same =
      size > 0 && body.size() >= size && std::memcmp(body.data(), head_bytes_.data(), size) == 0;
  if (!is_same) return nullptr;
  head_tenure_.use();
  return &head_;
}

void RequestMemo::offer_head(Bytes body, const RequestHead& head) {
  const Bytes bytes = body.first(head.arguments_offset);
  if (bytes.size() > kMaxBytes || !head_tenure_.gives_way() || !can_keep(bytes, head)) return;
  head_bytes_.assign(bytes.begin(), bytes.end());
  head_ = head;
  for (std::string_view* text : {&head_.protocol_version, &head_.path, &head_.version,
                                 &head_.method, &head_.parameter_types}) {
    *text = moved(*text, bytes, head_bytes_);
  }
}

const Attachments* RequestMemo::attachments_of(Bytes bytes) {
  const std::size_t size = attachment_bytes_.size();
  const bool is_same = size > 0 && bytes.size() == size &&
                       std::memcmp(bytes.data(), attachment_bytes_.data(), size) == 0;
  if (!is_same) return nullptr;
  attachment_tenure_.use();
  return &attachments_;
}

void RequestMemo::offer_attachments(Bytes bytes, const Attachments& attachments) {
  if (bytes.size() > kMaxBytes || !attachment_tenure_.gives_way()) return;
  if (!can_keep(bytes, attachments)) return;
  attachment_bytes_.assign(bytes.begin(), bytes.end());
  attachments_.clear();
  for (std::size_t i = 0; i < attachments.size(); ++i) {
    const auto& [key, value] = attachments[i];
    attachments_.add(moved(key, bytes, attachment_bytes_), moved(value, bytes, attachment_bytes_));
  }
}

}  // namespace skiff::dubbo
