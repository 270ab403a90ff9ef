#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "dubbo/bytes.h"
#include "dubbo/check.h"
#include "dubbo/result.h"
#include "dubbo/serialization.h"

namespace skiff::dubbo {

// A response's status (protocol.md 1). Any byte may arrive.
enum class Status : std::uint8_t {
  kNone = 0,  // in requests
  kOk = 20,
  kSerializationError = 25,
  kClientTimeout = 30,
  kServerTimeout = 31,
  kChannelInactive = 35,
  kBadRequest = 40,
  kBadResponse = 50,
  kServiceNotFound = 60,
  kServiceError = 70,
  kServerError = 80,
  kClientError = 90,
  kServerThreadpoolExhausted = 100,
};

std::string_view name_of(Status status);

// The stock limit of a body ("payload"), bytes.
inline constexpr std::uint32_t kDefaultBodyLimit = 8 * 1024 * 1024;

// The fixed part of a Dubbo frame; 16 bytes on the wire, big-endian:
//   0-1 magic dabb | 2 flags: 80 request, 40 two-way, 20 event, 1f serialization | 3 status | 4-11
//   id | 12-15 body size
struct FrameHeader {
  static constexpr std::size_t kSize = 16;
  static constexpr std::size_t kRequestIdOffset = 4;
  static constexpr std::size_t kBodySizeOffset = 12;

  std::uint64_t request_id = 0;  // chosen by the requesting side, opaque to us
  std::uint32_t body_size = 0;   // bytes that follow the header
  Serialization serialization = Serialization::kHessian2;
  Status status = Status::kNone;  // meaningful in responses only
  bool is_request = false;
  bool is_two_way = false;
  bool is_event = false;
};

namespace wire {

// Big-endian numbers, as every number of Dubbo's is.
inline std::uint32_t load_u32(const std::byte* at) {
  std::uint32_t value = 0;
  std::memcpy(&value, at, sizeof(value));
  return std::endian::native == std::endian::little ? __builtin_bswap32(value) : value;
}

inline std::uint64_t load_u64(const std::byte* at) {
  std::uint64_t value = 0;
  std::memcpy(&value, at, sizeof(value));
  return std::endian::native == std::endian::little ? __builtin_bswap64(value) : value;
}

inline void store_u32(std::byte* at, std::uint32_t value) {
  if constexpr (std::endian::native == std::endian::little) value = __builtin_bswap32(value);
  std::memcpy(at, &value, sizeof(value));
}

inline void store_u64(std::byte* at, std::uint64_t value) {
  if constexpr (std::endian::native == std::endian::little) value = __builtin_bswap64(value);
  std::memcpy(at, &value, sizeof(value));
}

}  // namespace wire

inline constexpr std::byte kMagicHigh{0xda};
inline constexpr std::byte kMagicLow{0xbb};
inline constexpr std::byte kRequestFlag{0x80};
inline constexpr std::byte kTwoWayFlag{0x40};
inline constexpr std::byte kEventFlag{0x20};
inline constexpr std::byte kSerializationMask{0x1f};

// True where the bytes can begin a Dubbo frame: what is there of the first two is the magic number.
inline bool starts_like_a_frame(Bytes bytes) {
  return (bytes.empty() || bytes[0] == kMagicHigh) && (bytes.size() < 2 || bytes[1] == kMagicLow);
}

// True where the bytes begin with a whole header whose body is not over `body_limit`.
inline bool starts_with_header(Bytes bytes, std::uint32_t body_limit) {
  return bytes.size() >= FrameHeader::kSize && bytes[0] == kMagicHigh && bytes[1] == kMagicLow &&
         wire::load_u32(bytes.data() + FrameHeader::kBodySizeOffset) <= body_limit;
}

// The header of a frame whose beginning is known to be good: starts_with_header() said so, or it
// was read or written before.
inline FrameHeader header_of(Bytes frame) {
  check(starts_with_header(frame, UINT32_MAX), "bytes that begin no frame are read as one");
  const std::byte flags = frame[2];
  return FrameHeader{
      .request_id = wire::load_u64(frame.data() + FrameHeader::kRequestIdOffset),
      .body_size = wire::load_u32(frame.data() + FrameHeader::kBodySizeOffset),
      .serialization = static_cast<Serialization>(flags & kSerializationMask),
      .status = static_cast<Status>(frame[3]),
      .is_request = (flags & kRequestFlag) != std::byte{0},
      .is_two_way = (flags & kTwoWayFlag) != std::byte{0},
      .is_event = (flags & kEventFlag) != std::byte{0},
  };
}

// What parse_frame_header() fails with; apart, because the frames of the hot path never need it.
Error frame_header_error(Bytes bytes, std::uint32_t body_limit);

// Reads a header from the first kSize bytes of `bytes`, which may be any length. Does not allocate
// unless it fails with kMalformed (bad magic) or kTooLarge (body_size over `body_limit`).
// kIncomplete (fewer than kSize bytes, magic right so far) has an empty message. After kTooLarge
// the header itself can be had with header_of().
inline Result<FrameHeader> parse_frame_header(Bytes bytes, std::uint32_t body_limit) {
  if (starts_with_header(bytes, body_limit)) return header_of(bytes);
  return tl::unexpected<Error>(frame_header_error(bytes, body_limit));
}

// Writes the kSize bytes of `header` to `out`.
inline void write_frame_header(const FrameHeader& header, std::byte* out) {
  std::byte flags = static_cast<std::byte>(header.serialization) & kSerializationMask;
  if (header.is_request) flags |= kRequestFlag;
  if (header.is_two_way) flags |= kTwoWayFlag;
  if (header.is_event) flags |= kEventFlag;
  out[0] = kMagicHigh;
  out[1] = kMagicLow;
  out[2] = flags;
  out[3] = static_cast<std::byte>(header.status);
  wire::store_u64(out + FrameHeader::kRequestIdOffset, header.request_id);
  wire::store_u32(out + FrameHeader::kBodySizeOffset, header.body_size);
}

// In place, in a frame that starts at `frame`.
inline void write_request_id(std::byte* frame, std::uint64_t request_id) {
  wire::store_u64(frame + FrameHeader::kRequestIdOffset, request_id);
}
inline void write_body_size(std::byte* frame, std::uint32_t body_size) {
  wire::store_u32(frame + FrameHeader::kBodySizeOffset, body_size);
}

// What a peer that does not speak Dubbo is probably speaking, from its first bytes: "HTTP/2",
// "HTTP/1", "TLS", "telnet text", "unknown bytes". For log lines.
std::string_view guess_foreign_protocol(Bytes bytes);

}  // namespace skiff::dubbo
