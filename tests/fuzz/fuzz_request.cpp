// Input: one byte that chooses the serialization, then the body of a request.

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "dubbo/frame.h"
#include "dubbo/request.h"
#include "property.h"

namespace skiff::dubbo {
namespace {

constexpr std::array<Serialization, 7> kSerializations = {
    Serialization::kHessian2,     Serialization::kFastjson2,  Serialization::kFastjson,
    Serialization::kJava,         Serialization::kNativeJava, Serialization::kKryo,
    Serialization::kCompactedJava};

constexpr std::array<std::pair<std::string_view, std::string_view>, 2> kAdded = {
    {{"token", "s3cret \"\\\n"}, {"uni", "\xe4\xb8\xad\xf0\x9f\x98\x80"}}};

bool same_head(const RequestHead& a, const RequestHead& b) {
  return a.protocol_version == b.protocol_version && a.path == b.path && a.version == b.version &&
         a.method == b.method && a.parameter_types == b.parameter_types &&
         a.argument_count == b.argument_count && a.arguments_offset == b.arguments_offset;
}

// The vectorised paths need some bytes behind a string, so what follows the head chooses the path:
// it must not change what is read.
void check_head_does_not_depend_on_what_follows(Bytes body, const RequestHead& head) {
  static RequestReader reader;
  std::vector<std::byte> longer(body.begin(), body.end());
  longer.resize(longer.size() + 64);
  const auto again = reader.read_head(Serialization::kHessian2, longer);
  SKIFF_PROPERTY(again && same_head(*again, head));
  const std::vector<std::byte> exact(
      body.begin(), body.begin() + static_cast<std::ptrdiff_t>(head.arguments_offset));
  const auto alone = reader.read_head(Serialization::kHessian2, exact);
  SKIFF_PROPERTY(alone && same_head(*alone, head));
}

std::vector<std::byte> apply(Bytes body, const AttachmentSplice& splice,
                             std::string_view inserted) {
  SKIFF_PROPERTY(splice.insert_at <= splice.resume_at && splice.resume_at <= body.size());
  std::vector<std::byte> spliced(body.begin(),
                                 body.begin() + static_cast<std::ptrdiff_t>(splice.insert_at));
  const Bytes middle = as_bytes(inserted);
  spliced.insert(spliced.end(), middle.begin(), middle.end());
  spliced.insert(spliced.end(), body.begin() + static_cast<std::ptrdiff_t>(splice.resume_at),
                 body.end());
  if (splice.length_field_at) {
    std::byte* const field = spliced.data() + *splice.length_field_at;
    wire::store_u32(field, wire::load_u32(field) + splice.length_growth);
  }
  return spliced;
}

void check_splice(Serialization serialization, Bytes body, RequestReader& reader,
                  const RequestHead& head, std::size_t attachments_before) {
  std::string inserted;
  const auto splice = reader.splice(serialization, body, kAdded, inserted);
  if (!splice) return;
  const std::vector<std::byte> spliced = apply(body, *splice, inserted);
  static RequestReader second;
  const auto head_again = second.read_head(serialization, spliced);
  SKIFF_PROPERTY(head_again && same_head(*head_again, head));
  Attachments attachments;
  SKIFF_PROPERTY(second.read_attachments(serialization, spliced, *head_again, attachments));
  if (attachments_before + kAdded.size() > Attachments::kCapacity) return;
  SKIFF_PROPERTY(attachments.size() == attachments_before + kAdded.size());
  for (const auto& [key, value] : kAdded) SKIFF_PROPERTY(attachments.find(key) == value);
  std::string inserted_again;
  SKIFF_PROPERTY(second.splice(serialization, spliced, kAdded, inserted_again));
}

// A reader keeps what it read last: that must not change what it reads next.
void check_does_not_depend_on_what_was_read(Serialization serialization, Bytes body,
                                            const RequestHead& head,
                                            const Attachments& attachments) {
  RequestReader fresh;
  for (int repetition = 0; repetition < 2; ++repetition) {
    const auto again = fresh.read_head(serialization, body);
    SKIFF_PROPERTY(again && same_head(*again, head));
    Attachments attachments_again;
    SKIFF_PROPERTY(fresh.read_attachments(serialization, body, *again, attachments_again));
    SKIFF_PROPERTY(attachments_again.size() == attachments.size());
    for (std::size_t i = 0; i < attachments.size(); ++i) {
      SKIFF_PROPERTY(attachments_again[i] == attachments[i]);
    }
  }
}

int check(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return -1;
  static RequestReader reader;
  const Serialization serialization = kSerializations[data[0] % kSerializations.size()];
  const Bytes body(reinterpret_cast<const std::byte*>(data + 1), size - 1);
  const auto head = reader.read_head(serialization, body);
  if (!head) {
    SKIFF_PROPERTY(head.error().code == ErrorCode::kMalformed || !has_readable_head(serialization));
    return 0;
  }
  SKIFF_PROPERTY(head->arguments_offset <= body.size());
  SKIFF_PROPERTY(head->argument_count <= head->parameter_types.size());
  if (serialization == Serialization::kHessian2) {
    check_head_does_not_depend_on_what_follows(body, *head);
  }
  static_cast<void>(reader.generic_method(serialization, body, *head));
  for (std::size_t i = 0; i < 3; ++i) {
    static_cast<void>(reader.argument(serialization, body, *head, i));
  }
  Attachments attachments;
  if (reader.read_attachments(serialization, body, *head, attachments)) {
    SKIFF_PROPERTY(has_readable_attachments(serialization));
    for (std::size_t i = 0; i < attachments.size(); ++i) {
      SKIFF_PROPERTY(attachments.find(attachments[i].first).has_value());
    }
    check_does_not_depend_on_what_was_read(serialization, body, *head, attachments);
    check_splice(serialization, body, reader, *head, attachments.size());
  }
  return 0;
}

}  // namespace
}  // namespace skiff::dubbo

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return skiff::dubbo::check(data, size);
}
