#include <algorithm>

#include "dubbo/fastjson_reader.h"
#include "dubbo/request_formats.h"
#include "dubbo/text_writers.h"

namespace skiff::dubbo {
namespace {

tl::unexpected<Error> malformed(std::string_view why) {
  return fail(ErrorCode::kMalformed, "fastjson: " + std::string(why));
}

// The line at `offset`, which moves behind its end; nullopt where there is none. Line ends within
// strings are escaped, so a line is a value.
std::optional<std::string_view> next_line(std::string_view body, std::size_t& offset) {
  if (offset >= body.size()) return std::nullopt;
  const std::size_t end = body.find('\n', offset);
  const std::string_view line =
      body.substr(offset, end == std::string_view::npos ? end : end - offset);
  offset = end == std::string_view::npos ? body.size() : end + 1;
  return line;
}

bool at_end_of_line(FastjsonReader& reader, std::string_view line) {
  reader.skip_spaces();
  return reader.offset() == line.size();
}

bool is_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// `line` is what the reader reads.
bool read_value(FastjsonReader& reader, std::string_view line, TextArena& arena,
                std::string_view key, Attachments& out) {
  reader.skip_spaces();
  if (reader.peek() != '"') {
    const std::size_t begin = reader.offset();
    if (!reader.skip_value()) return false;
    const std::string_view value = line.substr(begin, reader.offset() - begin);
    if (may_be_number(key) && is_digits(value)) out.add(key, value);
    return true;
  }
  if (out.size() == Attachments::kCapacity) {
    out.add({}, {});  // only counted
    return reader.skip_string();
  }
  std::string_view value;
  if (!reader.read_text(value, arena)) return false;
  out.add(key, value);
  return true;
}

// The entries behind '{', with the '}'. fastjson writes keys that are no strings without quotes.
bool read_entries(FastjsonReader& reader, std::string_view line, TextArena& arena,
                  Attachments& out) {
  if (reader.take('}')) return true;
  do {
    reader.skip_spaces();
    const bool has_text_key = reader.peek() == '"';
    std::string_view key;
    if (has_text_key && out.size() < Attachments::kCapacity) {
      if (!reader.read_text(key, arena)) return false;
    } else if (!reader.skip_value()) {
      return false;
    }
    if (!reader.take(':')) return false;
    if (has_text_key ? !read_value(reader, line, arena, key, out) : !reader.skip_value()) {
      return false;
    }
  } while (reader.take(','));
  return reader.take('}');
}

// Stock readers take 'single quotes' and comments as well, in which a value may end elsewhere than
// it does for FastjsonReader.
bool ends_alike_everywhere(std::string_view value) {
  bool is_in_string = false;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    if (c == '"') {
      is_in_string = !is_in_string;
    } else if (is_in_string) {
      if (c == '\\') ++i;
    } else if (c == '\'' || c == '/' || c == '\\') {
      return false;
    }
  }
  return true;
}

bool is_scalar(std::string_view value) {
  return value.starts_with('"') || value.find_first_of("{[") == std::string_view::npos;
}

}  // namespace

Result<RequestHead> read_fastjson_head(Bytes body, TextArena& arena) {
  RequestHead head;
  std::size_t offset = 0;
  for (std::string_view* text :
       {&head.protocol_version, &head.path, &head.version, &head.method, &head.parameter_types}) {
    const auto line = next_line(as_text(body), offset);
    if (!line) return malformed("body ends within the request head");
    FastjsonReader reader(*line);
    const bool is_read =
        (text == &head.version && reader.take_null()) || reader.read_text(*text, arena);
    if (!is_read || !at_end_of_line(reader, *line)) {
      return malformed("expected a string on each line of the request head");
    }
  }
  head.arguments_offset = offset;
  const auto arguments = count_parameter_types(head.parameter_types);
  if (!arguments) return malformed("broken parameter types descriptor");
  head.argument_count = *arguments;
  return head;
}

Result<AttachmentsPlace> read_fastjson_attachments(Bytes body, const RequestHead& head,
                                                   TextArena& arena, Attachments& out) {
  std::size_t offset = head.arguments_offset;
  for (std::uint32_t i = 0; i < head.argument_count; ++i) {
    if (!next_line(as_text(body), offset)) return malformed("body ends within the arguments");
  }
  const std::size_t line_at = offset;
  const auto line = next_line(as_text(body), offset);
  if (!line) return malformed("body ends before the attachments");
  FastjsonReader reader(*line);
  AttachmentsPlace place;
  reader.skip_spaces();
  place.begin = line_at + reader.offset();
  if (reader.take('{')) {
    reader.skip_spaces();
    place.form =
        reader.peek() == '}' ? AttachmentsPlace::Form::kEmptyMap : AttachmentsPlace::Form::kMap;
    if (!read_entries(reader, *line, arena, out)) return malformed("broken attachments");
  } else if (reader.take_null()) {
    place.form = AttachmentsPlace::Form::kNull;
  } else if (!reader.skip_value()) {
    return malformed("broken attachments");
  }
  place.end = line_at + reader.offset();
  if (!at_end_of_line(reader, *line)) return malformed("text behind the attachments");
  if (offset != body.size()) place.form = AttachmentsPlace::Form::kOther;
  return place;
}

std::optional<std::string_view> fastjson_argument(Bytes body, const RequestHead& head,
                                                  const ArgumentWish& wish, TextArena& arena) {
  std::size_t offset = head.arguments_offset;
  auto line = next_line(as_text(body), offset);
  for (std::size_t i = 0; i < wish.index && line; ++i) line = next_line(as_text(body), offset);
  if (!line) return std::nullopt;
  FastjsonReader reader(*line);
  reader.skip_spaces();
  std::string_view text;
  if (reader.peek() == '"') {
    return reader.read_text(text, arena) ? std::optional(text) : std::nullopt;
  }
  const bool is_container = reader.peek() == '{' || reader.peek() == '[';
  const std::size_t begin = reader.offset();
  if (wish.only_text || is_container || !reader.skip_value()) return std::nullopt;
  text = line->substr(begin, reader.offset() - begin);
  return text == "null" ? std::nullopt : std::optional(text);
}

Result<void> cut_fastjson_entries(Bytes body, const AttachmentsPlace& place, TextArena& arena,
                                  EntryCutter& cutter) {
  const std::string_view map = as_text(body.subspan(place.begin, place.end - place.begin));
  FastjsonReader reader(map);
  if (!reader.take('{')) return malformed("attachments that are no object");
  do {
    reader.skip_spaces();
    const std::size_t entry_at = reader.offset();
    std::string_view key;
    arena.clear();
    if (reader.peek() != '"') {
      return fail(ErrorCode::kUnsupported,
                  "attachments cannot be removed: the name of one is not in quotes");
    }
    if (!reader.read_text(key, arena) || !reader.take(':')) return malformed("broken attachments");
    const Result<bool> is_removed = cutter.removes(key);
    if (!is_removed) return tl::unexpected<Error>(is_removed.error());
    reader.skip_spaces();
    const std::size_t value_at = reader.offset();
    if (!reader.skip_value()) return malformed("broken attachments");
    const std::string_view value = map.substr(value_at, reader.offset() - value_at);
    if (!ends_alike_everywhere(value)) {
      return fail(ErrorCode::kUnsupported, "attachments cannot be removed: the value of '" +
                                               std::string(key) + "' is no strict JSON");
    }
    if (*is_removed && !is_scalar(value)) {
      return cannot_remove(key, "its value is one that later values may refer to");
    }
    const ByteRange entry{place.begin + entry_at, place.begin + reader.offset()};
    if (auto passed = cutter.pass(entry, *is_removed); !passed) return passed;
  } while (reader.take(','));
  return {};
}

void append_fastjson_attachments(NewAttachments added, InsertedAs as, std::string& out) {
  if (as == InsertedAs::kMap) out += '{';
  bool needs_comma = as == InsertedAs::kMoreEntries;
  for (const auto& [key, value] : added) {
    if (needs_comma) out += ',';
    append_json_string(key, out);
    out += ':';
    append_json_string(value, out);
    needs_comma = true;
  }
  if (as == InsertedAs::kMap) out += '}';
}

}  // namespace skiff::dubbo
