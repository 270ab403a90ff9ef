#include "tests/bench/frame_stream.h"

#include <sys/uio.h>

#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstring>

#include "dubbo/result.h"

namespace skiff::bench {

using dubbo::FrameHeader;

bool FrameScanner::take_header(dubbo::Bytes& bytes) {
  dubbo::Bytes whole;
  if (partial_size_ == 0 && bytes.size() >= FrameHeader::kSize) {
    whole = bytes.first(FrameHeader::kSize);
    bytes = bytes.subspan(FrameHeader::kSize);
  } else {
    const std::size_t size = std::min(FrameHeader::kSize - partial_size_, bytes.size());
    std::memcpy(partial_.data() + partial_size_, bytes.data(), size);
    partial_size_ += size;
    bytes = bytes.subspan(size);
    if (partial_size_ < FrameHeader::kSize)
      return dubbo::starts_like_a_frame({partial_.data(), partial_size_});
    whole = partial_;
    partial_size_ = 0;
  }
  const Result<FrameHeader> header = dubbo::parse_frame_header(whole, dubbo::kDefaultBodyLimit);
  if (!header) return false;
  header_ = *header;
  body_left_ = header_.body_size;
  in_body_ = true;
  return true;
}

void FrameWriter::add(FrameHeader header, dubbo::Bytes body) {
  header.body_size = static_cast<std::uint32_t>(body.size());
  Frame& frame = frames_.emplace_back();
  dubbo::write_frame_header(header, frame.header.data());
  frame.body = body;
}

WriteState FrameWriter::flush(int fd) {
  constexpr std::size_t kFramesPerCall = IOV_MAX / 2;
  std::array<iovec, 2 * kFramesPerCall>
      parts;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled below
  while (waiting() > 0) {
    std::size_t count = 0;
    std::size_t skip = first_sent_;
    std::size_t total = 0;
    for (std::size_t i = first_; i < frames_.size() && count + 2 <= parts.size(); ++i) {
      for (const dubbo::Bytes part : {dubbo::Bytes(frames_[i].header), frames_[i].body}) {
        const std::size_t gone = std::min(skip, part.size());
        skip -= gone;
        if (gone == part.size()) continue;
        // writev() takes what it does not change as non-const.
        parts[count++] = {const_cast<std::byte*>(part.data()) + gone, part.size() - gone};
        total += part.size() - gone;
      }
    }
    const ssize_t written = writev(fd, parts.data(), static_cast<int>(count));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno == EAGAIN ? WriteState::kBlocked : WriteState::kFailed;
    consume(static_cast<std::size_t>(written));
    if (static_cast<std::size_t>(written) < total) return WriteState::kBlocked;
  }
  return WriteState::kDone;
}

void FrameWriter::consume(std::size_t bytes) {
  bytes += first_sent_;
  while (first_ < frames_.size() && bytes >= FrameHeader::kSize + frames_[first_].body.size()) {
    bytes -= FrameHeader::kSize + frames_[first_].body.size();
    ++first_;
  }
  first_sent_ = bytes;
  // What has gone is dropped when it is the larger half, so that each frame moves once on average.
  if (2 * first_ >= frames_.size()) {
    frames_.erase(frames_.begin(), frames_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
}

}  // namespace skiff::bench
