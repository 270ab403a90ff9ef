// Input: what a registry or a provider says at Dubbo's application level. Its first byte chooses
// the parser; the rest is the text, or the body of an answer.

#include <algorithm>
#include <string>

#include "property.h"
#include "registry/application/application_names.h"
#include "registry/application/metadata_call.h"
#include "registry/application/metadata_info.h"
#include "registry/application/service_instance.h"
#include "registry/limits.h"

namespace skiff::registry {
namespace {

void check_names(std::string_view text) {
  const auto names = parse_application_names(text);
  SKIFF_PROPERTY(names.size() <= kMaxApplicationsOfInterface);
  SKIFF_PROPERTY(std::is_sorted(names.begin(), names.end()));
  SKIFF_PROPERTY(std::adjacent_find(names.begin(), names.end()) == names.end());
  SKIFF_PROPERTY(std::all_of(names.begin(), names.end(), is_path_part));
}

void check_error(const Error& error) {
  SKIFF_PROPERTY(!error.message.empty());
  SKIFF_PROPERTY(error.code == ErrorCode::kMalformed || error.code == ErrorCode::kTooLarge ||
                 error.code == ErrorCode::kUnavailable ||
                 error.code == ErrorCode::kInvalidArgument);
}

void check_instance(std::string_view text) {
  const auto instance = parse_service_instance(text);
  if (!instance) check_error(instance.error());
}

void check_metadata(const Result<MetadataInfo>& metadata) {
  if (!metadata) check_error(metadata.error());
}

int check(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      check_names(text);
      break;
    case 1:
      check_instance(text);
      break;
    case 2:
      check_metadata(parse_metadata_json(text, "r1"));
      break;
    default:
      dubbo::FrameHeader header;
      header.serialization = dubbo::Serialization::kHessian2;
      header.status = (data[0] & 4) == 0 ? dubbo::Status::kOk : dubbo::Status::kServerError;
      header.body_size = static_cast<std::uint32_t>(text.size());
      check_metadata(parse_metadata_answer(
          header, {reinterpret_cast<const std::byte*>(text.data()), text.size()}, "r1"));
  }
  return 0;
}

}  // namespace
}  // namespace skiff::registry

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return skiff::registry::check(data, size);
}
