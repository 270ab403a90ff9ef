#pragma once

#include <cstdint>
#include <string_view>

namespace skiff::dubbo {

// The low five bits of a frame's flags (protocol.md 1). Any value 0..31 may arrive; only some have
// names here.
enum class Serialization : std::uint8_t {
  kHessian2 = 2,
  kJava = 3,
  kCompactedJava = 4,
  kFastjson = 6,
  kNativeJava = 7,
  kKryo = 8,
  kFst = 9,
  kNativeHessian = 10,
  kAvro = 11,
  kProtostuff = 12,
  kGson = 16,
  kProtobufJson = 21,
  kProtobuf = 22,
  kFastjson2 = 23,
  kKryo2 = 25,
  kMsgpack = 27,
  kFury = 28,
};

// "hessian2"; "serialization 17" style text is the caller's: unknown ids give "unknown".
std::string_view name_of(Serialization serialization);

// True where read_request_head() can read a request of it.
bool has_readable_head(Serialization serialization);
// True where read_attachments() can.
bool has_readable_attachments(Serialization serialization);

}  // namespace skiff::dubbo
