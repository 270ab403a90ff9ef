// Input: the text in which an agent hands its connections to a successor. Its first byte is how
// many descriptors come with it.

#include <string>
#include <utility>
#include <vector>

#include "agent/handover_state.h"
#include "property.h"

namespace skiff::agent {
namespace {

// What was read is written so that it is read the same.
int check(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  auto connections = from_handover_state(text, std::vector<forwarder::Fd>(data[0]));
  if (!connections) {
    SKIFF_PROPERTY(connections.error().code == ErrorCode::kMalformed);
    return 0;
  }
  HandoverState state = to_handover_state(std::move(*connections));
  SKIFF_PROPERTY(state.descriptors.size() == data[0]);
  auto again = from_handover_state(state.text, std::move(state.descriptors));
  SKIFF_PROPERTY(again.has_value());
  SKIFF_PROPERTY(to_handover_state(std::move(*again)).text == state.text);
  return 0;
}

}  // namespace
}  // namespace skiff::agent

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return skiff::agent::check(data, size);
}
