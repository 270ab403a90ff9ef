#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dubbo/bytes.h"
#include "dubbo/serialization.h"

namespace skiff::dubbo::testing {

// What tests/frames/frames.json says of a request.
struct RecordedRequest {
  std::string protocol_version;
  std::string path;
  std::string version;
  std::string method;
  std::string parameter_types;
  std::uint32_t arguments = 0;
  std::optional<std::map<std::string, std::string>> attachments;  // absent for the java ones
};

// A frame recorded between stock peers, with what a reader must find in it.
struct RecordedFrame {
  std::string name;  // without ".bin"
  std::vector<std::byte> bytes;
  std::uint8_t flags = 0;
  std::uint8_t status = 0;
  std::uint64_t id = 0;
  std::uint32_t body_size = 0;
  std::optional<RecordedRequest> request;

  Bytes body() const { return Bytes(bytes).subspan(16); }
  Serialization serialization() const { return static_cast<Serialization>(flags & 0x1f); }
};

// All of them, in the order of frames.json.
const std::vector<RecordedFrame>& recorded_frames();
const RecordedFrame& recorded_frame(std::string_view name);

// "05 68 65", as bytes; quoted parts stand for themselves: "05 'hello' 90".
std::vector<std::byte> bytes_of(std::string_view hex);

}  // namespace skiff::dubbo::testing
