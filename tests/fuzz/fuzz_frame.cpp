// Input: the bytes of a connection. They are read as a frame, and as the message of error answers.

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "dubbo/down_question.h"
#include "dubbo/fastjson_reader.h"
#include "dubbo/frame.h"
#include "dubbo/hessian2_reader.h"
#include "dubbo/jsonb_reader.h"
#include "dubbo/response.h"
#include "property.h"

namespace skiff::dubbo {
namespace {

void check_header(Bytes bytes) {
  const auto header = parse_frame_header(bytes, 4096);
  if (!header) {
    const ErrorCode code = header.error().code;
    SKIFF_PROPERTY((code == ErrorCode::kMalformed) == !starts_like_a_frame(bytes));
    SKIFF_PROPERTY((code == ErrorCode::kIncomplete) == header.error().message.empty());
    SKIFF_PROPERTY(code != ErrorCode::kTooLarge || parse_frame_header(bytes, UINT32_MAX));
    SKIFF_PROPERTY(!guess_foreign_protocol(bytes).empty());
    return;
  }
  SKIFF_PROPERTY(starts_like_a_frame(bytes));
  SKIFF_PROPERTY(header->body_size <= 4096);
  std::array<std::byte, FrameHeader::kSize> written{};
  write_frame_header(*header, written.data());
  SKIFF_PROPERTY(std::equal(written.begin(), written.end(), bytes.begin()));
}

void check_event(Bytes bytes) {
  const auto header = parse_frame_header(bytes, UINT32_MAX);
  if (!header) return;
  const Bytes body = bytes.subspan(FrameHeader::kSize);
  const EventKind kind = event_kind(header->serialization, body);
  SKIFF_PROPERTY(body.size() <= 15 || kind == EventKind::kUnknown);
  std::vector<std::byte> answer;
  append_heartbeat_response(*header, body, answer);
  const auto answered = parse_frame_header(answer, UINT32_MAX);
  SKIFF_PROPERTY(answered && answered->is_event && !answered->is_request);
  SKIFF_PROPERTY(answered->request_id == header->request_id);
  SKIFF_PROPERTY(answered->body_size == body.size());
  SKIFF_PROPERTY(event_kind(answered->serialization, Bytes(answer).subspan(16)) == kind);
}

void check_down_question(Bytes body) {
  const auto asked = parse_down_question(body);
  if (!asked) return;
  std::vector<std::byte> frame;
  append_down_question(1, *asked, frame);
  const auto again = parse_down_question(Bytes(frame).subspan(FrameHeader::kSize));
  SKIFF_PROPERTY(again && again->size() <= asked->size());
  SKIFF_PROPERTY(std::equal(again->begin(), again->end(), asked->begin()));
  SKIFF_PROPERTY(parse_down_answer(body).empty());
}

std::string_view read_message(Serialization serialization, Bytes body, Hessian2Reader& hessian2,
                              TextArena& arena) {
  std::string_view text;
  if (serialization == Serialization::kHessian2) {
    hessian2.reset(body, 0);
    SKIFF_PROPERTY(hessian2.read_text(text, arena) && hessian2.remaining() == 0);
  } else if (serialization == Serialization::kFastjson2) {
    SKIFF_PROPERTY(wire::load_u32(body.data()) == body.size() - 4);
    JsonbReader reader(body.subspan(4));
    SKIFF_PROPERTY(reader.read_text(text, arena) && reader.remaining() == 0);
  } else {
    FastjsonReader reader(as_text(body));
    SKIFF_PROPERTY(reader.read_text(text, arena) && reader.peek() == '\n');
  }
  return text;
}

void check_errors(std::string_view message, Hessian2Reader& hessian2) {
  TextArena arena;
  const std::string_view expected = to_utf8(message, arena);
  for (const auto serialization :
       {Serialization::kHessian2, Serialization::kFastjson2, Serialization::kFastjson}) {
    std::vector<std::byte> frame;
    append_error_response(7, serialization, Status::kServerError, message, frame);
    const auto header = parse_frame_header(frame, UINT32_MAX);
    SKIFF_PROPERTY(header && header->status == Status::kServerError && header->request_id == 7);
    SKIFF_PROPERTY(header->body_size == frame.size() - FrameHeader::kSize);
    const std::string_view read =
        read_message(serialization, Bytes(frame).subspan(16), hessian2, arena);
    SKIFF_PROPERTY(message.size() > 4096 || read == expected);
  }
  for (const auto serialization : {Serialization::kJava, Serialization::kNativeJava}) {
    std::vector<std::byte> frame;
    append_error_response(7, serialization, Status::kOk, message, frame);
    SKIFF_PROPERTY(parse_frame_header(frame, UINT32_MAX)->body_size == frame.size() - 16);
  }
}

int check(const std::uint8_t* data, std::size_t size) {
  static Hessian2Reader hessian2;
  const Bytes bytes(reinterpret_cast<const std::byte*>(data), size);
  check_header(bytes);
  check_event(bytes);
  check_down_question(bytes);
  check_errors(as_text(bytes), hessian2);
  return 0;
}

}  // namespace
}  // namespace skiff::dubbo

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return skiff::dubbo::check(data, size);
}
