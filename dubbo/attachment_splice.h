#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "dubbo/bytes.h"

namespace skiff::dubbo {

using NewAttachments = std::span<const std::pair<std::string_view, std::string_view>>;

// What is to become of the attachments of a request. `removed` go before `added` come: a name in
// both is replaced. All texts are UTF-8.
struct AttachmentChanges {
  std::span<const std::string_view> removed = {};  // names; every attachment of that name goes
  NewAttachments added = {};
};

// bytes[begin, end) of a body.
struct ByteRange {
  std::size_t begin = 0;
  std::size_t end = 0;

  std::size_t size() const { return end - begin; }
};

// The parts of a body that go: none is empty, none touches another, and each stands behind the one
// before it.
class Cuts {
 public:
  static constexpr std::size_t kCapacity = 8;

  // False where there are kCapacity already.
  bool add(ByteRange cut);
  void extend_last(std::size_t end) { cuts_[count_ - 1].end = end; }

  const ByteRange* begin() const { return cuts_.data(); }
  const ByteRange* end() const { return cuts_.data() + count_; }
  bool empty() const { return count_ == 0; }
  std::size_t total_bytes() const;

 private:
  std::array<ByteRange, kCapacity> cuts_{};
  std::size_t count_ = 0;
};

// How to change the attachments of a body without re-encoding it: `cuts` go, and the inserted bytes
// come before the byte at `insert_at`. Offsets are of the old body.
struct AttachmentSplice {
  Cuts cuts;
  std::size_t insert_at = 0;
  // Of a 4-byte big-endian number that becomes `length`; it stands before all that changes.
  std::optional<std::size_t> length_field_at;
  std::uint32_t length = 0;
  std::size_t body_size = 0;  // of the new body, in bytes
  std::uint32_t removed = 0;  // attachments that go
  std::uint32_t added = 0;    // attachments that come

  // The new body is the old one.
  bool changes_nothing() const { return removed == 0 && added == 0; }
};

// Writes the new body. `body` and `inserted` must be those of the RequestReader::splice() that gave
// `splice`; `out` has splice.body_size bytes, none of them in `body`.
void write_spliced_body(Bytes body, const AttachmentSplice& splice, std::string_view inserted,
                        std::span<std::byte> out);

}  // namespace skiff::dubbo
