// Reading what a request says of itself.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "dubbo/check.h"
#include "dubbo/recorded_frames.h"
#include "dubbo/request.h"
#include "tests/bench/messages.h"
#include "tests/bench/pieces/measure.h"
#include "tests/bench/pieces/service_names.h"

namespace skiff::bench {
namespace {

using dubbo::Serialization;

constexpr std::size_t kServices = 64;

struct Body {
  Serialization serialization = Serialization::kHessian2;
  std::string bytes;
};

Body java_consumer(std::size_t argument_bytes) {
  CallTemplate call;
  call.argument_bytes = argument_bytes;
  return {Serialization::kHessian2, request_body(call)};
}

Body cjk_argument(std::size_t characters) {
  std::string text;
  for (std::size_t i = 0; i < characters; ++i) text += "\u8bf7";
  return {Serialization::kHessian2, request_body({}, text)};
}

// A body of tests/frames, recorded between stock Java peers.
Body recorded(std::string_view name) {
  const auto& frame = dubbo::testing::recorded_frame(name);
  return {frame.serialization(), std::string(dubbo::as_text(frame.body()))};
}

void read_head(benchmark::State& state, const Body& body) {
  dubbo::RequestReader reader;
  measure(state, 1, [&] {
    const auto head = reader.read_head(body.serialization, dubbo::as_bytes(body.bytes));
    check(head.has_value(), "a request of the benchmark's own has no head");
    benchmark::DoNotOptimize(*head);
  });
}

// Heads of requests for many services, whose names are mostly longer than 31 characters, which is
// where hessian2 changes its form.
std::vector<std::string> bodies_of_many_services() {
  std::vector<std::string> bodies;
  for (const std::string& name : service_names(kServices)) {
    CallTemplate call;
    call.interface = name;
    bodies.push_back(request_body(call));
  }
  return bodies;
}

void read_heads(benchmark::State& state) {
  const std::vector<std::string> bodies = bodies_of_many_services();
  dubbo::RequestReader reader;
  measure(state, kServices, [&] {
    for (const std::string& body : bodies) {
      const auto head = reader.read_head(Serialization::kHessian2, dubbo::as_bytes(body));
      check(head.has_value(), "a request of the benchmark's own has no head");
      benchmark::DoNotOptimize(*head);
    }
  });
}

void read_head_and_attachments(benchmark::State& state, const Body& body) {
  dubbo::RequestReader reader;
  dubbo::Attachments attachments;
  measure(state, 1, [&] {
    const dubbo::Bytes bytes = dubbo::as_bytes(body.bytes);
    const auto head = reader.read_head(body.serialization, bytes);
    check(head && reader.read_attachments(body.serialization, bytes, *head, attachments),
          "a request of the benchmark's own cannot be read");
    benchmark::DoNotOptimize(attachments);
  });
}

// Nothing is as it was in the request before.
void read_heads_and_attachments(benchmark::State& state) {
  const std::vector<std::string> bodies = bodies_of_many_services();
  dubbo::RequestReader reader;
  dubbo::Attachments attachments;
  measure(state, kServices, [&] {
    for (const std::string& body : bodies) {
      const dubbo::Bytes bytes = dubbo::as_bytes(body);
      const auto head = reader.read_head(Serialization::kHessian2, bytes);
      check(head && reader.read_attachments(Serialization::kHessian2, bytes, *head, attachments),
            "a request of the benchmark's own cannot be read");
      benchmark::DoNotOptimize(attachments);
    }
  });
}

BENCHMARK_CAPTURE(read_head, java, java_consumer(128))
    ->Name("request head, hessian2, as the one before");
BENCHMARK(read_heads)->Name("request head, hessian2, of 64 services with long names");
BENCHMARK(read_heads_and_attachments)->Name("head and attachments, of 64 services with long names");
BENCHMARK_CAPTURE(read_head_and_attachments, small, java_consumer(128))
    ->Name("head and attachments as before, String of 128 B");
BENCHMARK_CAPTURE(read_head_and_attachments, large, java_consumer(4096))
    ->Name("head and attachments as before, String of 4 KiB");
BENCHMARK_CAPTURE(read_head_and_attachments, cjk, cjk_argument(4096))
    ->Name("head and attachments as before, 4,096 CJK characters");
BENCHMARK_CAPTURE(read_head_and_attachments, complex, recorded("request-object-array-map-list"))
    ->Name("head and attachments as before, object, array, map and list");
BENCHMARK_CAPTURE(read_head_and_attachments, fastjson2, recorded("fastjson2-request-complex"))
    ->Name("head and attachments, fastjson2: object, array and map");

}  // namespace
}  // namespace skiff::bench
