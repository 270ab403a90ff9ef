// Finding the frames in what a read brought.

#include <cstddef>
#include <string>

#include "dubbo/frame.h"
#include "tests/bench/messages.h"
#include "tests/bench/pieces/measure.h"

namespace skiff::bench {
namespace {

constexpr std::size_t kFrames = 32;

std::string small_frames() {
  const std::string body = request_body({});
  std::string frames;
  for (std::size_t i = 0; i < kFrames; ++i) {
    dubbo::FrameHeader header;
    header.request_id = i;
    header.body_size = static_cast<std::uint32_t>(body.size());
    header.is_request = header.is_two_way = true;
    std::byte bytes[dubbo::FrameHeader::kSize];
    dubbo::write_frame_header(header, bytes);
    frames += dubbo::as_text(bytes);
    frames += body;
  }
  return frames;
}

void scan_frame_headers(benchmark::State& state) {
  const std::string frames = small_frames();
  measure(state, kFrames, [&frames] {
    dubbo::Bytes rest = dubbo::as_bytes(frames);
    while (!rest.empty()) {
      const auto header = dubbo::parse_frame_header(rest, dubbo::kDefaultBodyLimit);
      check(header.has_value(), "a frame of the benchmark's own is broken");
      benchmark::DoNotOptimize(header->request_id);
      rest = rest.subspan(dubbo::FrameHeader::kSize + header->body_size);
    }
  });
}
BENCHMARK(scan_frame_headers)->Name("frame header, one of 32 small frames");

}  // namespace
}  // namespace skiff::bench
