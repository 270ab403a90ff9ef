#include "tests/bench/messages.h"

#include "dubbo/text_writers.h"

namespace skiff::bench {
namespace {

// Java's hessian cuts longer strings into pieces of this many characters.
constexpr std::size_t kPieceChars = 0x8000;
constexpr char kResponseValue = '\x91';  // the int 1

void append_length(char tag, std::size_t length, std::string& out) {
  out += tag;
  out += static_cast<char>(length >> 8U);
  out += static_cast<char>(length & 0xffU);
}

// A string of `size` ASCII characters.
void append_filler(std::size_t size, std::string& out) {
  for (; size > kPieceChars; size -= kPieceChars) {
    append_length('R', kPieceChars, out);
    out.append(kPieceChars, 'x');
  }
  if (size < 32) {
    out += static_cast<char>(size);
  } else {
    append_length('S', size, out);
  }
  out.append(size, 'x');
}

// `append_argument(body)` appends its one String.
template <typename AppendArgument>
std::string body_with(const CallTemplate& call, AppendArgument append_argument) {
  std::string body;
  const auto text = [&body](const std::string& value) {
    dubbo::append_hessian2_string(value, body);
  };
  const auto attachment = [&text](const char* key, const std::string& value) {
    if (value.empty()) return;
    text(key);
    text(value);
  };
  text("2.0.2");
  text(call.interface);
  text(call.version.empty() ? "0.0.0" : call.version);
  text(call.method);
  text("Ljava/lang/String;");
  append_argument(body);
  body += 'H';
  attachment("path", call.interface);
  attachment("remote.application", "bench");
  attachment("interface", call.interface);
  attachment("version", call.version.empty() ? "0.0.0" : call.version);
  attachment("group", call.group);
  attachment("timeout", std::to_string(call.timeout.count()));
  body += 'Z';
  return body;
}

}  // namespace

std::string request_body(const CallTemplate& call) {
  return body_with(call, [&](std::string& body) { append_filler(call.argument_bytes, body); });
}

std::string request_body(const CallTemplate& call, std::string_view argument) {
  return body_with(call, [&](std::string& body) { dubbo::append_hessian2_string(argument, body); });
}

std::string answer_body(std::size_t value_bytes) {
  std::string body(1, kResponseValue);
  append_filler(value_bytes, body);
  return body;
}

}  // namespace skiff::bench
