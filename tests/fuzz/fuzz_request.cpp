// Input: one byte that chooses the serialization, then the body of a request.

#include <algorithm>
#include <array>
#include <span>
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
  std::size_t behind = 0;
  for (const ByteRange& cut : splice.cuts) {
    SKIFF_PROPERTY(behind <= cut.begin && cut.begin < cut.end && cut.end <= body.size());
    behind = cut.end + 1;
  }
  std::vector<std::byte> spliced(splice.body_size);
  write_spliced_body(body, splice, inserted, spliced);
  return spliced;
}

void check_splice(Serialization serialization, Bytes body, RequestReader& reader,
                  const RequestHead& head, std::size_t attachments_before) {
  std::string inserted;
  const auto splice = reader.splice(serialization, body, head, {.added = kAdded}, inserted);
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
  SKIFF_PROPERTY(
      second.splice(serialization, spliced, *head_again, {.added = kAdded}, inserted_again));
}

bool is_one_of(std::string_view name, std::span<const std::string_view> names) {
  return std::ranges::find(names, name) != names.end();
}

// `after` are those of `before` that have none of the names, then what was added.
void check_what_is_left(const Attachments& before, std::span<const std::string_view> names,
                        NewAttachments added, const Attachments& after) {
  std::size_t at = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (is_one_of(before[i].first, names)) continue;
    SKIFF_PROPERTY(at < after.size() && after[at] == before[i]);
    ++at;
  }
  // What was not kept before may be now.
  for (std::size_t i = at; i < after.size() && before.dropped() > 0; ++i) {
    SKIFF_PROPERTY(!is_one_of(after[i].first, names) || i + added.size() >= after.size());
  }
  if (before.dropped() > 0 || at + added.size() > Attachments::kCapacity) return;
  SKIFF_PROPERTY(after.size() == at + added.size());
  for (const auto& entry : added) SKIFF_PROPERTY(after[at++] == entry);
}

void check_removal(Serialization serialization, Bytes body, RequestReader& reader,
                   const RequestHead& head, const Attachments& before,
                   const AttachmentChanges& changes) {
  std::string inserted;
  const auto splice = reader.splice(serialization, body, head, changes, inserted);
  if (!splice) {
    SKIFF_PROPERTY(splice.error().code == ErrorCode::kUnsupported ||
                   splice.error().code == ErrorCode::kTooLarge);
    return;
  }
  const std::vector<std::byte> spliced = apply(body, *splice, inserted);
  static RequestReader second;
  const auto head_again = second.read_head(serialization, spliced);
  SKIFF_PROPERTY(head_again && same_head(*head_again, head));
  Attachments after;
  SKIFF_PROPERTY(second.read_attachments(serialization, spliced, *head_again, after));
  check_what_is_left(before, changes.removed, changes.added, after);

  // Nothing before the attachments changes, but for their size.
  std::size_t same = splice->cuts.empty()
                         ? splice->insert_at
                         : std::min(splice->insert_at, splice->cuts.begin()->begin);
  if (splice->length_field_at) same = std::min(same, *splice->length_field_at);
  SKIFF_PROPERTY(same >= head.arguments_offset);
  SKIFF_PROPERTY(as_text(body).substr(0, same) == as_text(spliced).substr(0, same));

  // Another time there is nothing left to remove but what was added.
  const auto again =
      second.splice(serialization, spliced, *head_again, {.removed = changes.removed}, inserted);
  SKIFF_PROPERTY(again && again->removed <= changes.added.size());
  if (changes.added.empty()) SKIFF_PROPERTY(again->changes_nothing());
}

void check_removals(Serialization serialization, Bytes body, RequestReader& reader,
                    const RequestHead& head, const Attachments& attachments) {
  std::vector<std::string_view> names = {"token", "secret-token"};
  for (const std::size_t i : {attachments.size() / 2, attachments.size() - 1}) {
    if (i < attachments.size()) names.push_back(attachments[i].first);
  }
  for (std::size_t count = 1; count <= names.size(); ++count) {
    const auto some = std::span(names).last(count);
    check_removal(serialization, body, reader, head, attachments, {.removed = some});
    check_removal(serialization, body, reader, head, attachments,
                  {.removed = some, .added = kAdded});
  }
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
    check_removals(serialization, body, reader, *head, attachments);
  }
  return 0;
}

}  // namespace
}  // namespace skiff::dubbo

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return skiff::dubbo::check(data, size);
}
