#include "dubbo/frame.h"
#include "dubbo/jsonb_reader.h"
#include "dubbo/request_formats.h"
#include "dubbo/text_writers.h"

namespace skiff::dubbo {
namespace {

constexpr std::size_t kLengthSize = 4;
constexpr std::uint8_t kSymbol = 0x7f;
constexpr std::uint8_t kNull = 0xaf;
constexpr std::uint8_t kTyped = 0x92;
constexpr std::uint8_t kObjectEnd = 0xa5;
constexpr std::uint8_t kObject = 0xa6;

tl::unexpected<Error> malformed(std::string message) {
  return fail(ErrorCode::kMalformed, std::move(message));
}

// The document at `offset`, which moves behind it; nullopt where the body ends first.
std::optional<Bytes> next_document(Bytes body, std::size_t& offset) {
  if (body.size() - offset < kLengthSize) return std::nullopt;
  const std::uint32_t size = wire::load_u32(body.data() + offset);
  if (size > body.size() - offset - kLengthSize) return std::nullopt;
  const Bytes document = body.subspan(offset + kLengthSize, size);
  offset += kLengthSize + size;
  return document;
}

Result<void> read_head_text(Bytes body, std::size_t& offset, TextArena& arena,
                            std::string_view& text) {
  const auto document = next_document(body, offset);
  if (!document) return malformed("fastjson2: body ends within the request head");
  JsonbReader reader(*document);
  if (!reader.read_text(text, arena)) return malformed(reader.problem());
  if (reader.remaining() != 0) return malformed("fastjson2: more than a string in the head");
  return {};
}

bool is_null(Bytes document) { return document.size() == 1 && document[0] == std::byte{kNull}; }

bool read_entries(JsonbReader& reader, TextArena& arena, Attachments& out) {
  while (!reader.take(kObjectEnd)) {
    const bool has_text_key = reader.next_is_text();
    const bool is_kept = has_text_key && out.size() < Attachments::kCapacity;
    std::string_view key;
    if (is_kept ? !reader.read_text(key, arena) : !reader.skip_value()) return false;
    const bool is_number = is_kept && may_be_number(key) && reader.next_is_int();
    if (!is_kept || (!reader.next_is_text() && !is_number)) {
      if (has_text_key && reader.next_is_text()) out.add({}, {});  // full: only counted
      if (!reader.skip_value()) return false;
      continue;
    }
    std::string_view value;
    if (is_number ? !reader.read_number(value, arena) : !reader.read_text(value, arena)) {
      return false;
    }
    out.add(key, value);
  }
  return true;
}

}  // namespace

Result<RequestHead> read_fastjson2_head(Bytes body, TextArena& arena) {
  RequestHead head;
  std::size_t offset = 0;
  for (std::string_view* text :
       {&head.protocol_version, &head.path, &head.version, &head.method, &head.parameter_types}) {
    std::size_t behind = offset;
    const auto document = next_document(body, behind);
    if (text == &head.version && document && is_null(*document)) {
      offset = behind;
      continue;
    }
    if (auto read = read_head_text(body, offset, arena, *text); !read) {
      return tl::unexpected<Error>(std::move(read.error()));
    }
  }
  head.arguments_offset = offset;
  const auto arguments = count_parameter_types(head.parameter_types);
  if (!arguments) return malformed("fastjson2: broken parameter types descriptor");
  head.argument_count = *arguments;
  return head;
}

Result<AttachmentsPlace> read_fastjson2_attachments(Bytes body, const RequestHead& head,
                                                    TextArena& arena, Attachments& out) {
  std::size_t offset = head.arguments_offset;
  if (offset > body.size()) return malformed("fastjson2: arguments behind the end of the body");
  for (std::uint32_t i = 0; i < head.argument_count; ++i) {
    if (!next_document(body, offset)) return malformed("fastjson2: body ends within an argument");
  }
  AttachmentsPlace place;
  place.begin = offset + kLengthSize;
  const auto document = next_document(body, offset);
  if (!document) return malformed("fastjson2: body ends within the attachments");
  place.end = offset;
  place.length_field_at = place.begin - kLengthSize;
  JsonbReader reader(*document);
  if (reader.take(kTyped) && !reader.skip_type()) return malformed(reader.problem());
  if (reader.take(kObject)) {
    place.form = reader.peek() == kObjectEnd ? AttachmentsPlace::Form::kEmptyMap
                                             : AttachmentsPlace::Form::kMap;
    if (!read_entries(reader, arena, out)) return malformed(reader.problem());
  } else {
    if (is_null(*document)) place.form = AttachmentsPlace::Form::kNull;
    if (!reader.skip_value()) return malformed(reader.problem());
  }
  if (reader.remaining() != 0) return malformed("fastjson2: bytes behind the attachments");
  if (place.end != body.size()) place.form = AttachmentsPlace::Form::kOther;
  return place;
}

std::optional<std::string_view> fastjson2_argument(Bytes body, const RequestHead& head,
                                                   const ArgumentWish& wish, TextArena& arena) {
  std::size_t offset = head.arguments_offset;
  if (offset > body.size()) return std::nullopt;
  auto document = next_document(body, offset);
  for (std::size_t i = 0; i < wish.index && document; ++i) document = next_document(body, offset);
  if (!document) return std::nullopt;
  JsonbReader reader(*document);
  std::string_view text;
  if (reader.next_is_text()) {
    return reader.read_text(text, arena) ? std::optional(text) : std::nullopt;
  }
  if (wish.only_text || !reader.read_number(text, arena)) return std::nullopt;
  return text;
}

// Symbols are texts with a number, which later ones are written as; references name their way, and
// never lead to what is no object or array.
Result<void> cut_fastjson2_entries(Bytes body, const AttachmentsPlace& place, TextArena& arena,
                                   EntryCutter& cutter) {
  JsonbReader reader(body.subspan(place.begin, place.end - place.begin));
  if (reader.take(kTyped) && !reader.skip_type()) return malformed(reader.problem());
  if (!reader.take(kObject)) return malformed("fastjson2: attachments that are no object");
  while (!reader.take(kObjectEnd)) {
    const std::size_t entry_at = place.begin + reader.offset();
    const bool defines_symbol = reader.peek() == kSymbol;
    std::string_view key;
    arena.clear();
    if (!reader.next_is_text()) {
      return fail(ErrorCode::kUnsupported,
                  "attachments cannot be removed: the name of one is no text that can be read");
    }
    if (!reader.read_text(key, arena)) return malformed(reader.problem());
    const Result<bool> is_removed = cutter.removes(key);
    if (!is_removed) return tl::unexpected<Error>(is_removed.error());
    if (*is_removed && (defines_symbol || !reader.next_is_unreferenced())) {
      return cannot_remove(key, "later values may refer to it");
    }
    if (!reader.skip_value()) return malformed(reader.problem());
    const ByteRange entry{entry_at, place.begin + reader.offset()};
    if (auto passed = cutter.pass(entry, *is_removed); !passed) return passed;
  }
  return {};
}

void append_fastjson2_attachments(NewAttachments added, InsertedAs as, std::string& out) {
  if (as == InsertedAs::kMap) out += static_cast<char>(kObject);
  for (const auto& [key, value] : added) {
    append_jsonb_string(key, out);
    append_jsonb_string(value, out);
  }
  if (as == InsertedAs::kMap) out += static_cast<char>(kObjectEnd);
}

}  // namespace skiff::dubbo
