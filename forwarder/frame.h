#pragma once

#include <cstddef>
#include <span>

#include "dubbo/bytes.h"
#include "dubbo/frame.h"

namespace skiff::forwarder {

// A whole frame that was read. Its bytes stay where they are until the output of this turn of the
// loop was written, and may be changed by whoever passes it on.
struct Frame {
  dubbo::FrameHeader header;
  std::span<std::byte> bytes;  // header and body

  dubbo::Bytes body() const { return bytes.subspan(dubbo::FrameHeader::kSize); }

  // The first of the whole frames in `bytes`, which were read or written before.
  static Frame first_of(std::span<std::byte> bytes) {
    const dubbo::FrameHeader header = dubbo::header_of(bytes);
    return {header, bytes.first(dubbo::FrameHeader::kSize + header.body_size)};
  }
};

}  // namespace skiff::forwarder
