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

#include "dubbo/attachment_splice.h"
#include "dubbo/bytes.h"
#include "dubbo/hessian2_reader.h"
#include "dubbo/result.h"
#include "dubbo/serialization.h"
#include "dubbo/text.h"

namespace skiff::dubbo {

class EntryCutter;
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
  // All of that name.
  void remove(std::string_view key);

 private:
  std::array<std::pair<std::string_view, std::string_view>, kCapacity> entries_;
  std::size_t size_ = 0;
  std::size_t dropped_ = 0;
};

// The interface that a request names where its path is not one: newer peers say it in an
// attachment; an older peer's path may be a URL path, with a context before the interface. A view
// into `head` or `attachments`.
std::string_view named_interface(const RequestHead& head, const Attachments& attachments);

// Where the attachments of a body stand: body[begin, end), and what they are. Used by
// RequestReader.
struct AttachmentsPlace {
  // kOther as well where more follows than the form ends with.
  enum class Form { kOther, kNull, kEmptyMap, kMap };
  Form form = Form::kOther;
  bool is_plain = false;  // a map of strings and nothing else (hessian2)
  std::size_t begin = 0;
  std::size_t end = 0;
  std::optional<std::size_t> length_field_at;  // of the 4 bytes that say their size (fastjson2)
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
  // next call of either. All texts are well-formed UTF-8, whatever was sent. Values that are no
  // texts are left out, but for whole numbers of `timeout` and `_TO`, which are given as texts.
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

  // How the attachments of a body become what `changes` asks for, for write_spliced_body(); the
  // encoding of what is added is in `inserted` (cleared first). Must follow a successful
  // read_attachments() of the same body, with its head. The views of either stay valid.
  //
  // What is added comes before the end of the map, or in place of its null (the later duplicate of
  // a key wins at stock peers). What is removed is gone from the body; where one entry of a name
  // might be left, none is removed. Attachments within the value of another are not looked at.
  //   hessian2 removes strings, numbers, booleans, nulls, dates and binaries. Lists, maps and
  //     objects have numbers that later references count on.
  //   fastjson2 removes values of those kinds, but for symbols (texts that get a number); all keys
  //     of the map must be texts.
  //   fastjson removes what is no object or array; the map must be JSON as stock peers write it:
  //     keys in quotes, no 'single quotes', no comments.
  // All or nothing; the caller may ask again for the additions alone. Fails with
  //   kUnsupported: another serialization, a body that does not end as it should, an entry that
  //     cannot be removed, a key that peers may read otherwise than we do
  //   kTooLarge: more cuts than Cuts::kCapacity (neighbours are one), a body over 2^31 - 1 bytes
  //   kInvalidArgument: this body is not the one whose attachments were read last
  Result<AttachmentSplice> splice(Serialization serialization, Bytes body, const RequestHead& head,
                                  const AttachmentChanges& changes, std::string& inserted);

 private:
  std::optional<std::string_view> read_argument(Serialization serialization, Bytes body,
                                                const RequestHead& head, const ArgumentWish& wish,
                                                TextArena& arena);
  Result<RequestHead> read_hessian2(Bytes body);
  Result<AttachmentsPlace> read_hessian2(Bytes body, const RequestHead& head, Attachments& out);
  Result<void> cut_entries(Serialization serialization, Bytes body, const RequestHead& head,
                           EntryCutter& cutter);

  Hessian2Reader hessian2_;
  // Texts whose wire form is not the text itself; each lives as long as the views it backs.
  TextArena head_texts_;
  TextArena attachment_texts_;
  TextArena generic_texts_;
  TextArena argument_texts_;
  TextArena splice_texts_;

  std::unique_ptr<RequestMemo> memo_;  // of hessian2

  // Of the body whose attachments were read last, for splice().
  Bytes spliceable_;
  AttachmentsPlace attachments_place_;
};

}  // namespace skiff::dubbo
