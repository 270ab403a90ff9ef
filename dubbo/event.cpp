#include <array>

#include "dubbo/response.h"

namespace skiff::dubbo {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kMaxEventBytes = 15;

// What stands around the one character of an event's string, and the null of a heartbeat.
struct EventForm {
  Serialization serialization;
  std::string_view before;
  std::string_view after;
  std::string_view null;
};

constexpr std::array<EventForm, 6> kForms = {{
    {Serialization::kHessian2, "\x01"sv, ""sv, "N"sv},
    {Serialization::kFastjson2, "\0\0\0\x02\x4a"sv, ""sv, "\0\0\0\x01\xaf"sv},
    {Serialization::kFastjson, R"(")"sv, "\"\n"sv, "null\n"sv},
    // A flag in a block of data, then the object.
    {Serialization::kJava, "\xac\xed\0\x05\x77\x01\x01\x74\0\x01"sv, ""sv,
     "\xac\xed\0\x05\x77\x01\0"sv},
    {Serialization::kCompactedJava, "\xac\xed\0\x05\x77\x01\x01\x74\0\x01"sv, ""sv,
     "\xac\xed\0\x05\x77\x01\0"sv},
    {Serialization::kNativeJava, "\xac\xed\0\x05\x74\0\x01"sv, ""sv, "\xac\xed\0\x05\x70"sv},
}};

EventKind kind_of_form(const EventForm& form, std::string_view text) {
  if (text == form.null) return EventKind::kHeartbeat;
  const bool is_string = text.size() == form.before.size() + 1 + form.after.size() &&
                         text.starts_with(form.before) && text.ends_with(form.after);
  if (is_string && text[form.before.size()] == 'R') return EventKind::kReadonly;
  if (is_string && text[form.before.size()] == 'W') return EventKind::kWriteable;
  return EventKind::kUnknown;
}

}  // namespace

void append_heartbeat_request(std::uint64_t request_id, std::vector<std::byte>& out) {
  append_frame({.request_id = request_id, .is_request = true, .is_two_way = true, .is_event = true},
               as_bytes("N"), out);
}

void append_heartbeat_response(const FrameHeader& request, Bytes body,
                               std::vector<std::byte>& out) {
  append_frame({.request_id = request.request_id,
                .serialization = request.serialization,
                .status = Status::kOk,
                .is_event = true},
               body, out);
}

void append_readonly_event(std::uint64_t request_id, std::vector<std::byte>& out) {
  append_frame({.request_id = request_id, .is_request = true, .is_event = true}, as_bytes("\x01R"),
               out);
}

void append_writeable_event(std::uint64_t request_id, std::vector<std::byte>& out) {
  append_frame({.request_id = request_id, .is_request = true, .is_event = true}, as_bytes("\x01W"),
               out);
}

EventKind event_kind(Serialization serialization, Bytes body) {
  if (body.size() > kMaxEventBytes) return EventKind::kUnknown;
  if (body.empty()) return EventKind::kHeartbeat;
  for (const EventForm& form : kForms) {
    if (form.serialization == serialization) return kind_of_form(form, as_text(body));
  }
  return EventKind::kHeartbeat;
}

}  // namespace skiff::dubbo
