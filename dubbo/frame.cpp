#include "dubbo/frame.h"

#include <algorithm>
#include <array>
#include <string>

namespace skiff::dubbo {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::array<std::string_view, 9> kHttpMethods = {
    "GET ", "POST ", "PUT ", "HEAD ", "DELETE ", "OPTIONS ", "PATCH ", "TRACE ", "CONNECT "};

std::string hex(Bytes bytes) {
  std::string text;
  for (const std::byte byte : bytes) {
    text += kHexDigits[std::to_integer<unsigned>(byte) >> 4U];
    text += kHexDigits[std::to_integer<unsigned>(byte) & 0x0fU];
  }
  return text;
}

bool is_text_byte(std::byte byte) {
  const auto c = std::to_integer<unsigned char>(byte);
  return (c >= 0x20 && c < 0x7f) || c == '\r' || c == '\n' || c == '\t';
}

bool begins_with_http1_method(std::string_view text) {
  return std::any_of(kHttpMethods.begin(), kHttpMethods.end(),
                     [text](std::string_view method) { return text.starts_with(method); });
}

}  // namespace

std::string_view name_of(Status status) {
  switch (status) {
    case Status::kNone:
      return "none";
    case Status::kOk:
      return "OK";
    case Status::kSerializationError:
      return "SERIALIZATION_ERROR";
    case Status::kClientTimeout:
      return "CLIENT_TIMEOUT";
    case Status::kServerTimeout:
      return "SERVER_TIMEOUT";
    case Status::kChannelInactive:
      return "CHANNEL_INACTIVE";
    case Status::kBadRequest:
      return "BAD_REQUEST";
    case Status::kBadResponse:
      return "BAD_RESPONSE";
    case Status::kServiceNotFound:
      return "SERVICE_NOT_FOUND";
    case Status::kServiceError:
      return "SERVICE_ERROR";
    case Status::kServerError:
      return "SERVER_ERROR";
    case Status::kClientError:
      return "CLIENT_ERROR";
    case Status::kServerThreadpoolExhausted:
      return "SERVER_THREADPOOL_EXHAUSTED";
  }
  return "unknown";
}

Error frame_header_error(Bytes bytes, std::uint32_t body_limit) {
  if (!starts_like_a_frame(bytes)) {
    return {ErrorCode::kMalformed, "not a Dubbo frame: it begins with " +
                                       hex(bytes.first(std::min<std::size_t>(bytes.size(), 4))) +
                                       " instead of dabb"};
  }
  if (bytes.size() < FrameHeader::kSize) return {ErrorCode::kIncomplete, {}};
  const std::uint32_t body_size = wire::load_u32(bytes.data() + FrameHeader::kBodySizeOffset);
  return {ErrorCode::kTooLarge, "frame body of " + std::to_string(body_size) +
                                    " bytes: the limit is " + std::to_string(body_limit)};
}

std::string_view guess_foreign_protocol(Bytes bytes) {
  const std::string_view text = as_text(bytes);
  if (text.starts_with("PRI * HTTP/2")) return "HTTP/2";
  if (begins_with_http1_method(text)) return "HTTP/1";
  // A TLS record: handshake, version 3.x.
  if (text.size() >= 2 && text[0] == '\x16' && text[1] == '\x03') return "TLS";
  const Bytes start = bytes.first(std::min<std::size_t>(bytes.size(), 64));
  if (!start.empty() && std::all_of(start.begin(), start.end(), is_text_byte)) {
    return "telnet text";
  }
  return "unknown bytes";
}

}  // namespace skiff::dubbo
