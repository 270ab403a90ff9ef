#include "dubbo/null_response.h"

#include <string_view>

#include "dubbo/frame.h"
#include "dubbo/response.h"

namespace skiff::dubbo {
namespace {

using std::string_view_literals::operator""sv;

// A response type as the first value of a body.
std::string_view type_text(Serialization serialization, int type) {
  switch (serialization) {
    case Serialization::kHessian2: {  // one byte, 0x90 + number
      constexpr std::string_view kTypes = "\x90\x91\x92\x93\x94\x95"sv;
      return kTypes.substr(static_cast<std::size_t>(type), 1);
    }
    case Serialization::kFastjson2: {  // a length of 4 bytes, then JSONB's int8
      constexpr std::string_view kTypes =
          "\0\0\0\2\xbd\0\0\0\0\2\xbd\1\0\0\0\2\xbd\2"
          "\0\0\0\2\xbd\3\0\0\0\2\xbd\4\0\0\0\2\xbd\5"sv;
      return kTypes.substr(static_cast<std::size_t>(type) * 6, 6);
    }
    case Serialization::kFastjson: {  // a line of JSON
      constexpr std::string_view kTypes = "0\n1\n2\n3\n4\n5\n"sv;
      return kTypes.substr(static_cast<std::size_t>(type) * 2, 2);
    }
    default:
      return {};
  }
}

constexpr int kException = 0;
constexpr int kNull = 2;
constexpr int kExceptionWithAttachments = 3;

}  // namespace

bool can_write_null(Serialization serialization) {
  return !type_text(serialization, kNull).empty();
}

void append_null_response(std::uint64_t request_id, Serialization serialization,
                          std::vector<std::byte>& out) {
  append_frame({.request_id = request_id, .serialization = serialization, .status = Status::kOk},
               as_bytes(type_text(serialization, kNull)), out);
}

bool says_exception(Serialization serialization, Bytes body) {
  const std::string_view text = as_text(body);
  for (const int type : {kException, kExceptionWithAttachments}) {
    const std::string_view begin = type_text(serialization, type);
    if (!begin.empty() && text.starts_with(begin)) return true;
  }
  return false;
}

}  // namespace skiff::dubbo
