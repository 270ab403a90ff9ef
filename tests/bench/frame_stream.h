#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include "dubbo/bytes.h"
#include "dubbo/frame.h"

namespace skiff::bench {

// Finds the frames in a stream of bytes without keeping their bodies.
class FrameScanner {
 public:
  // Calls on_frame(const dubbo::FrameHeader&) for each frame whose last byte is in `bytes`. False
  // where the stream is not made of Dubbo frames; it is of no further use then.
  template <typename OnFrame>
  bool feed(dubbo::Bytes bytes, OnFrame&& on_frame) {
    while (!bytes.empty()) {
      if (!in_body_ && !take_header(bytes)) return false;
      if (!in_body_) break;
      const std::size_t body = std::min(body_left_, bytes.size());
      body_left_ -= body;
      bytes = bytes.subspan(body);
      if (body_left_ > 0) break;
      in_body_ = false;
      on_frame(header_);
    }
    return true;
  }

 private:
  // Moves bytes to the header; `in_body_` says whether it is complete. False where it is none.
  bool take_header(dubbo::Bytes& bytes);

  std::array<std::byte, dubbo::FrameHeader::kSize> partial_{};
  std::size_t partial_size_ = 0;
  dubbo::FrameHeader header_;
  std::size_t body_left_ = 0;
  bool in_body_ = false;
};

enum class WriteState { kDone, kBlocked, kFailed };

// Frames that wait to be written: a header of their own each, and a body that many of them share.
class FrameWriter {
 public:
  // `body` must stay as it is until it has been written.
  void add(dubbo::FrameHeader header, dubbo::Bytes body);
  // Writes as much as the socket takes, many frames with one system call.
  WriteState flush(int fd);
  // Frames that have not been written to their end.
  std::size_t waiting() const { return frames_.size() - first_; }

 private:
  struct Frame {
    std::array<std::byte, dubbo::FrameHeader::kSize> header;
    dubbo::Bytes body;
  };
  void consume(std::size_t bytes);

  std::vector<Frame> frames_;
  std::size_t first_ = 0;
  std::size_t first_sent_ = 0;  // bytes of frames_[first_] that were written
};

}  // namespace skiff::bench
