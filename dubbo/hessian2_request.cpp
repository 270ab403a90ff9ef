#include <algorithm>

#include "dubbo/request_formats.h"
#include "dubbo/text_writers.h"

namespace skiff::dubbo {
namespace {

constexpr std::size_t kMaxHeadBytes = std::size_t{64} * 1024;
constexpr std::uint8_t kNull = 'N';
constexpr std::uint8_t kMap = 'H';
constexpr std::uint8_t kTypedMap = 'M';
constexpr std::uint8_t kMapEnd = 'Z';

tl::unexpected<Error> malformed(const Hessian2Reader& reader) {
  return fail(ErrorCode::kMalformed, reader.problem());
}

// The entries of a map up to its end. Those whose key or value is no string are skipped; `is_plain`
// says that there were none.
bool read_entries(Hessian2Reader& reader, TextArena& arena, Attachments& out, bool& is_plain) {
  is_plain = true;
  while (!reader.take(kMapEnd)) {
    const bool has_text_key = reader.next_is_string();
    const bool is_kept = has_text_key && out.size() < Attachments::kCapacity;
    std::string_view key;
    if (is_kept ? !reader.read_text(key, arena) : !reader.skip_value()) return false;
    std::string_view value;
    if (is_kept && reader.next_is_string()) {
      if (!reader.read_text(value, arena)) return false;
      out.add(key, value);
      continue;
    }
    is_plain = false;
    if (is_kept && may_be_number(key) && reader.next_is_integer()) {
      if (!reader.read_number(value, arena)) return false;
      out.add(key, value);
      continue;
    }
    if (has_text_key && reader.next_is_string()) out.add({}, {});  // full: only counted
    if (!reader.skip_value()) return false;
  }
  return true;
}

}  // namespace

Result<RequestHead> read_hessian2_head(Bytes body, Hessian2Reader& reader, TextArena& arena) {
  reader.reset(body, 0);
  RequestHead head;
  if (!reader.read_whole_text(head.protocol_version, arena) ||
      !reader.read_whole_text(head.path, arena) ||
      (!reader.take(kNull) && !reader.read_whole_text(head.version, arena)) ||
      !reader.read_whole_text(head.method, arena) ||
      !reader.read_whole_text(head.parameter_types, arena)) {
    return malformed(reader);
  }
  head.arguments_offset = reader.offset();
  if (head.arguments_offset > kMaxHeadBytes) {
    return fail(ErrorCode::kMalformed,
                "hessian2: request head of " + std::to_string(head.arguments_offset) + " bytes");
  }
  const auto arguments = count_parameter_types(head.parameter_types);
  if (!arguments) return fail(ErrorCode::kMalformed, "hessian2: broken parameter types descriptor");
  head.argument_count = *arguments;
  return head;
}

bool skip_hessian2_arguments(Bytes body, const RequestHead& head, Hessian2Reader& reader,
                             std::size_t& attachments_begin) {
  reader.reset(body, head.arguments_offset);
  for (std::uint32_t i = 0; i < head.argument_count; ++i) {
    if (!reader.skip_value()) return false;
  }
  attachments_begin = reader.offset();
  return true;
}

bool read_hessian2_attachments(Hessian2Reader& reader, TextArena& arena, Attachments& out,
                               AttachmentsPlace& place) {
  const int tag = reader.peek();
  if (tag == kMap || tag == kTypedMap) {
    reader.take(static_cast<std::uint8_t>(tag));
    if (tag == kTypedMap && !reader.skip_type()) return false;
    place.form =
        reader.peek() == kMapEnd ? AttachmentsPlace::Form::kEmptyMap : AttachmentsPlace::Form::kMap;
    if (!read_entries(reader, arena, out, place.is_plain)) return false;
  } else {
    if (tag == kNull) place.form = AttachmentsPlace::Form::kNull;
    if (!reader.skip_value()) return false;
  }
  place.end = reader.offset();
  if (reader.remaining() != 0) place.form = AttachmentsPlace::Form::kOther;
  return true;
}

std::optional<std::string_view> hessian2_argument(Bytes body, const RequestHead& head,
                                                  const ArgumentWish& wish, Hessian2Reader& reader,
                                                  TextArena& arena) {
  reader.reset(body, head.arguments_offset);
  for (std::size_t i = 0; i < wish.index; ++i) {
    if (!reader.skip_value()) return std::nullopt;
  }
  std::string_view text;
  if (reader.next_is_string()) {
    return reader.read_text(text, arena) ? std::optional(text) : std::nullopt;
  }
  if (wish.only_text || !reader.read_number(text, arena)) return std::nullopt;
  return text;
}

// What goes takes no number that a later reference or object counts on, and what comes takes none:
// nothing else changes.
Result<void> cut_hessian2_entries(Bytes body, const RequestHead& head,
                                  const AttachmentsPlace& place, Hessian2Reader& reader,
                                  TextArena& arena, EntryCutter& cutter) {
  // Objects among the values may be of classes that the arguments define.
  reader.reset(body, place.begin);
  std::size_t begin = place.begin;
  if (!place.is_plain && !skip_hessian2_arguments(body, head, reader, begin)) {
    return malformed(reader);
  }
  if (begin != place.begin) return fail(ErrorCode::kInvalidArgument, "head of another body");
  if (reader.take(kTypedMap) ? !reader.skip_type() : !reader.take(kMap)) return malformed(reader);
  while (!reader.take(kMapEnd)) {
    const std::size_t entry_at = reader.offset();
    std::string_view key;
    Result<bool> is_removed = false;
    arena.clear();
    if (reader.next_is_string()) {
      if (!reader.read_text(key, arena)) return malformed(reader);
      is_removed = cutter.removes(key);
      if (!is_removed) return tl::unexpected<Error>(std::move(is_removed.error()));
    } else if (!reader.skip_value()) {
      return malformed(reader);
    }
    if (*is_removed && !reader.next_is_unnumbered()) {
      return cannot_remove(key, "its value is one that later values may refer to");
    }
    if (!reader.skip_value()) return malformed(reader);
    if (auto passed = cutter.pass({entry_at, reader.offset()}, *is_removed); !passed) return passed;
  }
  return {};
}

void append_hessian2_attachments(NewAttachments added, InsertedAs as, std::string& out) {
  if (as == InsertedAs::kMap) out += static_cast<char>(kMap);
  for (const auto& [key, value] : added) {
    append_hessian2_string(key, out);
    append_hessian2_string(value, out);
  }
  if (as == InsertedAs::kMap) out += static_cast<char>(kMapEnd);
}

}  // namespace skiff::dubbo
