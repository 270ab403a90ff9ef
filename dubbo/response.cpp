#include "dubbo/response.h"

#include <string>

#include "dubbo/text.h"
#include "dubbo/text_writers.h"

namespace skiff::dubbo {
namespace {

constexpr std::size_t kMaxMessageBytes = 4096;

std::string_view cut_at_character(std::string_view text, std::size_t max) {
  if (text.size() <= max) return text;
  std::size_t size = max;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0U) == 0x80) --size;
  return text.substr(0, size);
}

// Java's ObjectOutputStream: its header, then one block of data with the string in it.
void append_java_body(std::string_view message, bool with_length, std::string& body) {
  std::string block;
  if (with_length) append_u32(static_cast<std::uint32_t>(utf16_size(message)), block);
  append_java_utf(message, block);
  body.append("\xac\xed\x00\x05", 4);
  if (block.size() <= 0xff) {
    body += '\x77';
    body += static_cast<char>(block.size());
  } else {
    body += '\x7a';
    append_u32(static_cast<std::uint32_t>(block.size()), body);
  }
  body += block;
}

void append_fastjson2_body(std::string_view message, std::string& body) {
  std::string document;
  append_jsonb_string(message, document);
  append_u32(static_cast<std::uint32_t>(document.size()), body);
  body += document;
}

std::string error_body(Serialization serialization, std::string_view message) {
  std::string body;
  switch (serialization) {
    case Serialization::kHessian2:
      append_hessian2_string(message, body);
      break;
    case Serialization::kFastjson2:
      append_fastjson2_body(message, body);
      break;
    case Serialization::kFastjson:
      append_json_string(message, body);
      body += '\n';
      break;
    case Serialization::kJava:
    case Serialization::kCompactedJava:
      append_java_body(message, true, body);
      break;
    case Serialization::kNativeJava:
      append_java_body(message, false, body);
      break;
    default:
      break;
  }
  return body;
}

}  // namespace

void append_frame(FrameHeader header, Bytes body, std::vector<std::byte>& out) {
  header.body_size = static_cast<std::uint32_t>(body.size());
  const std::size_t at = out.size();
  out.resize(at + FrameHeader::kSize);
  write_frame_header(header, out.data() + at);
  out.insert(out.end(), body.begin(), body.end());
}

bool can_write_error(Serialization serialization) { return has_readable_head(serialization); }

void append_error_response(std::uint64_t request_id, Serialization serialization, Status status,
                           std::string_view message, std::vector<std::byte>& out) {
  const std::string body = error_body(serialization, cut_at_character(message, kMaxMessageBytes));
  append_frame({.request_id = request_id, .serialization = serialization, .status = status},
               as_bytes(body), out);
}

}  // namespace skiff::dubbo
