#include <algorithm>

#include "dubbo/request_formats.h"
#include "dubbo/text_writers.h"

namespace skiff::dubbo {
namespace {

constexpr std::size_t kMaxHeadBytes = std::size_t{64} * 1024;
constexpr std::uint8_t kNull = 'N';
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
    if (!is_kept || !reader.next_is_string()) {
      is_plain = false;
      if (has_text_key && reader.next_is_string()) out.add({}, {});  // full: only counted
      if (!reader.skip_value()) return false;
      continue;
    }
    std::string_view value;
    if (!reader.read_text(value, arena)) return false;
    out.add(key, value);
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
  if (tag == 'H' || tag == 'M') {
    reader.take(static_cast<std::uint8_t>(tag));
    if (tag == 'M' && !reader.skip_type()) return false;
    place.form =
        reader.peek() == kMapEnd ? AttachmentsPlace::Form::kEmptyMap : AttachmentsPlace::Form::kMap;
    if (!read_entries(reader, arena, out, place.is_plain)) return false;
  } else {
    if (tag == kNull) place.form = AttachmentsPlace::Form::kNull;
    if (!reader.skip_value()) return false;
  }
  place.end = reader.offset();
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

// The map is the body's last value, so what is put before its end needs nothing else changed:
// strings take no reference numbers.
std::optional<AttachmentSplice> splice_hessian2(Bytes body, const AttachmentsPlace& place,
                                                NewAttachments added, std::string& inserted) {
  if (place.end != body.size()) return std::nullopt;
  const bool was_null = place.form == AttachmentsPlace::Form::kNull;
  if (was_null) inserted += 'H';
  for (const auto& [key, value] : added) {
    append_hessian2_string(key, inserted);
    append_hessian2_string(value, inserted);
  }
  if (was_null) inserted += static_cast<char>(kMapEnd);
  return AttachmentSplice{.insert_at = body.size() - 1,
                          .resume_at = was_null ? body.size() : body.size() - 1,
                          .length_field_at = std::nullopt,
                          .length_growth = 0};
}

}  // namespace skiff::dubbo
