#include "dubbo/attachment_splice.h"

#include <algorithm>

#include "dubbo/check.h"
#include "dubbo/frame.h"

namespace skiff::dubbo {
namespace {

using Out = std::span<std::byte>::iterator;

// What is left of a part of the body.
Out copy_uncut(Bytes body, ByteRange part, const Cuts& cuts, Out out) {
  for (const ByteRange& cut : cuts) {
    if (cut.end <= part.begin) continue;
    if (cut.begin >= part.end) break;
    out = std::ranges::copy(body.subspan(part.begin, cut.begin - part.begin), out).out;
    part.begin = cut.end;
  }
  return std::ranges::copy(body.subspan(part.begin, part.size()), out).out;
}

}  // namespace

bool Cuts::add(ByteRange cut) {
  if (count_ == kCapacity) return false;
  cuts_[count_++] = cut;
  return true;
}

std::size_t Cuts::total_bytes() const {
  std::size_t bytes = 0;
  for (const ByteRange& cut : *this) bytes += cut.size();
  return bytes;
}

void write_spliced_body(Bytes body, const AttachmentSplice& splice, std::string_view inserted,
                        std::span<std::byte> out) {
  const std::size_t size = body.size() - splice.cuts.total_bytes() + inserted.size();
  check(size == splice.body_size && size == out.size(), "a splice of another body");
  Out at = copy_uncut(body, {0, splice.insert_at}, splice.cuts, out.begin());
  at = std::ranges::copy(as_bytes(inserted), at).out;
  copy_uncut(body, {splice.insert_at, body.size()}, splice.cuts, at);
  if (splice.length_field_at) wire::store_u32(out.data() + *splice.length_field_at, splice.length);
}

}  // namespace skiff::dubbo
