#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "dubbo/bytes.h"
#include "dubbo/hessian2_reader.h"
#include "dubbo/result.h"
#include "dubbo/serialization.h"
#include "dubbo/text.h"

namespace skiff::dubbo {

class RequestMemo;

// What stands before the arguments of a request. Views point into the body, or into the
// RequestReader where the wire form is not the text itself (JSON escapes, strings split over Java
// block data): valid until its next read_head().
struct RequestHead {
  std::string_view protocol_version;  // "2.0.2"
  std::string_view path;     // the interface, or an older peer's URL path; may carry a leading '/'
  std::string_view version;  // as sent: "0.0.0", "" (null) or a version
  std::string_view method;   // "$invoke" for generic calls
  std::string_view parameter_types;  // JVM descriptors: "Ljava/lang/String;I[J"
  std::uint32_t argument_count = 0;  // types in it
  std::size_t arguments_offset = 0;  // of the first argument, in the body

  bool is_generic() const { return method == "$invoke" || method == "$invokeAsync"; }
};

// The attachments with string values, in the order of the wire. Others (objects) are skipped. Views
// as in RequestHead.
class Attachments {
 public:
  static constexpr std::size_t kCapacity = 64;  // more are counted in dropped(), not kept

  // The last one of that name, as stock decoders have it; nullopt where there is none.
  std::optional<std::string_view> find(std::string_view key) const;

  std::size_t size() const { return size_; }
  std::size_t dropped() const { return dropped_; }
  const std::pair<std::string_view, std::string_view>& operator[](std::size_t i) const {
    return entries_[i];
  }

  Attachments() = default;
  Attachments(const Attachments& other) { *this = other; }
  Attachments& operator=(const Attachments& other);  // copies no more than there are

  void clear() { size_ = dropped_ = 0; }
  void add(std::string_view key, std::string_view value);

 private:
  std::array<std::pair<std::string_view, std::string_view>, kCapacity> entries_;
  std::size_t size_ = 0;
  std::size_t dropped_ = 0;
};

// The interface that a request names where its path is not one: newer peers say it in an
// attachment; an older peer's path may be a URL path, with a context before the interface. A view
// into `head` or `attachments`.
std::string_view named_interface(const RequestHead& head, const Attachments& attachments);

// How to add attachments to a body without re-encoding it. The new body is
//   body[0, insert_at) + inserted + body[resume_at, end)
// and, where length_field_at is set, the 4-byte big-endian number there grows by `length_growth`.
struct AttachmentSplice {
  std::size_t insert_at = 0;
  std::size_t resume_at = 0;
  std::optional<std::size_t> length_field_at;
  std::uint32_t length_growth = 0;
};

// Where the attachments of a body stand: body[begin, end), and what they are. Used by
// RequestReader.
struct AttachmentsPlace {
  enum class Form { kOther, kNull, kEmptyMap, kMap };
  Form form = Form::kOther;
  bool is_plain = false;  // a map of strings and nothing else
  std::size_t begin = 0;
  std::size_t end = 0;
};

// Which argument is to be read, and as what. Used by RequestReader.
struct ArgumentWish {
  std::size_t index = 0;
  bool only_text = false;  // a number or boolean is not looked at
};

// Reads request bodies of every serialization that has a readable head (serialization.h). Reused
// for every request of its thread: no allocation for a well-formed small request. Never throws,
// never reads past `body`; recursion, counts and work are bounded by the body's size and a fixed
// depth.
class RequestReader {
 public:
  RequestReader();
  ~RequestReader();

  // Fails with kMalformed (kIncomplete does not occur: a body is whole) or kUnsupported
  // (serialization).
  Result<RequestHead> read_head(Serialization serialization, Bytes body);

  // Skips the arguments and reads the attachments of the body that `head` was read from. Fails with
  // kMalformed or kUnsupported; `out` then holds what came before the failure. Views live until the
  // next call of either. All texts are well-formed UTF-8, whatever was sent.
  Result<void> read_attachments(Serialization serialization, Bytes body, const RequestHead& head,
                                Attachments& out);

  // The method that a generic call ($invoke, $invokeAsync) names in its first argument; nullopt if
  // it cannot be read. The view lives until the next call of this function.
  std::optional<std::string_view> generic_method(Serialization serialization, Bytes body,
                                                 const RequestHead& head);

  // Argument `index` where it is a text, number or boolean: numbers as Java writes them, "true" or
  // "false". nullopt for anything else, where it cannot be read, where there is none. The view
  // lives until the next call of this function.
  std::optional<std::string_view> argument(Serialization serialization, Bytes body,
                                           const RequestHead& head, std::size_t index);

  // Where `added` can be put into a body, and their encoding in `inserted` (cleared first).
  // hessian2: before the closing byte of the map, or in place of its null (the later duplicate of a
  // key wins at stock peers); fastjson2 and fastjson likewise. nullopt where it cannot be done:
  // another serialization, a body that does not end as it should. Must follow a successful
  // read_attachments() of the same body.
  std::optional<AttachmentSplice> splice(
      Serialization serialization, Bytes body,
      std::span<const std::pair<std::string_view, std::string_view>> added, std::string& inserted);

 private:
  std::optional<std::string_view> read_argument(Serialization serialization, Bytes body,
                                                const RequestHead& head, const ArgumentWish& wish,
                                                TextArena& arena);
  Result<RequestHead> read_hessian2(Bytes body);
  Result<AttachmentsPlace> read_hessian2(Bytes body, const RequestHead& head, Attachments& out);

  Hessian2Reader hessian2_;
  // Texts whose wire form is not the text itself; each lives as long as the views it backs.
  TextArena head_texts_;
  TextArena attachment_texts_;
  TextArena generic_texts_;
  TextArena argument_texts_;

  std::unique_ptr<RequestMemo> memo_;  // of hessian2

  // Of the body whose attachments were read last, for splice().
  Bytes spliceable_;
  AttachmentsPlace attachments_place_;
};

}  // namespace skiff::dubbo
