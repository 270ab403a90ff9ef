// Input: a file of the state folder. Its first byte chooses: a whole file, or the text in one.

#include <string>

#include "agent/saved_state_text.h"
#include "agent/state_file.h"
#include "property.h"

namespace skiff::agent {
namespace {

void check_file(std::string_view bytes) {
  const auto text = unsealed(bytes);
  if (text) {
    SKIFF_PROPERTY(unsealed(sealed(*text)) == *text);
    return;
  }
  SKIFF_PROPERTY(!text.error().message.empty());
  SKIFF_PROPERTY(text.error().code == ErrorCode::kMalformed ||
                 text.error().code == ErrorCode::kUnsupported);
}

// What was read is written so that it is read the same.
void check_state(std::string_view text) {
  const auto state = parse_saved_state(text);
  if (state) {
    const auto again = parse_saved_state(to_text(*state));
    SKIFF_PROPERTY(again.has_value());
    SKIFF_PROPERTY(*again == *state);
  } else {
    SKIFF_PROPERTY(state.error().code == ErrorCode::kMalformed);
  }
}

// The same, also of URLs that are no UTF-8: they are written as names of nodes. Only where a text
// nears the limit of a URL's length could a provider be lost, since `key` becomes `key=key`.
void check_lists(std::string_view text) {
  const auto lists = parse_saved_lists(text);
  if (lists) {
    const auto again = parse_saved_lists(to_text(*lists));
    SKIFF_PROPERTY(again.has_value());
    SKIFF_PROPERTY(*again == *lists);
  } else {
    SKIFF_PROPERTY(lists.error().code == ErrorCode::kMalformed);
  }
}

int check(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 3) {
    case 0:
      check_file(text);
      break;
    case 1:
      check_state(text);
      break;
    default:
      check_lists(text);
  }
  return 0;
}

}  // namespace
}  // namespace skiff::agent

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return skiff::agent::check(data, size);
}
