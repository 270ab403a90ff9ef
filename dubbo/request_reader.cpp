#include <algorithm>
#include <limits>

#include "dubbo/check.h"
#include "dubbo/entry_cutter.h"
#include "dubbo/request.h"
#include "dubbo/request_formats.h"
#include "dubbo/request_memo.h"

namespace skiff::dubbo {
namespace {

// In a descriptor: byte, char, double, float, int, long, short, boolean, void.
constexpr std::string_view kPrimitives = "BCDFIJSZV";

tl::unexpected<Error> unsupported(Serialization serialization, std::string_view what) {
  return fail(ErrorCode::kUnsupported, "cannot read " + std::string(what) + " of serialization " +
                                           std::to_string(static_cast<unsigned>(serialization)) +
                                           " (" + std::string(name_of(serialization)) + ")");
}

void append_attachments(Serialization serialization, NewAttachments added, InsertedAs as,
                        std::string& out) {
  switch (serialization) {
    case Serialization::kHessian2:
      return append_hessian2_attachments(added, as, out);
    case Serialization::kFastjson2:
      return append_fastjson2_attachments(added, as, out);
    case Serialization::kFastjson:
      return append_fastjson_attachments(added, as, out);
    default:
      check(false, "attachments of a serialization that has no readable ones");
  }
}

// A null gives its place to a map.
InsertedAs make_room(const AttachmentsPlace& place, bool has_entries, AttachmentSplice& splice) {
  if (place.form == AttachmentsPlace::Form::kNull) {
    splice.cuts.add({place.begin, place.end});
    splice.insert_at = place.begin;
    return InsertedAs::kMap;
  }
  return has_entries ? InsertedAs::kMoreEntries : InsertedAs::kFirstEntries;
}

}  // namespace

std::optional<std::uint32_t> count_parameter_types(std::string_view descriptor) {
  std::uint32_t count = 0;
  while (!descriptor.empty()) {
    const std::size_t dimensions = descriptor.find_first_not_of('[');
    if (dimensions == std::string_view::npos) return std::nullopt;
    descriptor.remove_prefix(dimensions);
    std::size_t size = 1;
    if (descriptor.front() == 'L') {
      size = descriptor.find(';') + 1;  // 0 where there is none
      if (size < 3) return std::nullopt;
    } else if (kPrimitives.find(descriptor.front()) == std::string_view::npos) {
      return std::nullopt;
    }
    descriptor.remove_prefix(size);
    ++count;
  }
  return count;
}

std::string_view named_interface(const RequestHead& head, const Attachments& attachments) {
  if (const auto named = attachments.find("interface"); named) return *named;
  const auto slash = head.path.rfind('/');
  return slash == std::string_view::npos ? head.path : head.path.substr(slash + 1);
}

std::optional<std::string_view> Attachments::find(std::string_view key) const {
  for (std::size_t i = size_; i > 0; --i) {
    if (entries_[i - 1].first == key) return entries_[i - 1].second;
  }
  return std::nullopt;
}

Attachments& Attachments::operator=(const Attachments& other) {
  if (this == &other) return *this;
  std::copy_n(other.entries_.begin(), other.size_, entries_.begin());
  size_ = other.size_;
  dropped_ = other.dropped_;
  return *this;
}

void Attachments::add(std::string_view key, std::string_view value) {
  if (size_ == kCapacity) {
    ++dropped_;
  } else {
    entries_[size_++] = {key, value};
  }
}

void Attachments::remove(std::string_view key) {
  const auto end = entries_.begin() + static_cast<std::ptrdiff_t>(size_);
  const auto kept = std::remove_if(entries_.begin(), end,
                                   [key](const auto& entry) { return entry.first == key; });
  size_ = static_cast<std::size_t>(kept - entries_.begin());
}

RequestReader::RequestReader() : memo_(std::make_unique<RequestMemo>()) {}
RequestReader::~RequestReader() = default;

Result<RequestHead> RequestReader::read_hessian2(Bytes body) {
  if (const RequestHead* known = memo_->head_of(body); known != nullptr) return *known;
  Result<RequestHead> head = read_hessian2_head(body, hessian2_, head_texts_);
  if (head) memo_->offer_head(body, *head);
  return head;
}

Result<AttachmentsPlace> RequestReader::read_hessian2(Bytes body, const RequestHead& head,
                                                      Attachments& out) {
  AttachmentsPlace place;
  if (!skip_hessian2_arguments(body, head, hessian2_, place.begin)) {
    return fail(ErrorCode::kMalformed, hessian2_.problem());
  }
  const Bytes rest = body.subspan(place.begin);
  if (const Attachments* known = memo_->attachments_of(rest); known != nullptr) {
    out = *known;
    place.form = AttachmentsPlace::Form::kMap;
    place.is_plain = true;
    place.end = body.size();
    return place;
  }
  if (!read_hessian2_attachments(hessian2_, attachment_texts_, out, place)) {
    return fail(ErrorCode::kMalformed, hessian2_.problem());
  }
  // Only what is plain: its bytes alone say what it is, whatever stands before them.
  const bool is_map = place.form == AttachmentsPlace::Form::kMap;
  if (place.is_plain && is_map) memo_->offer_attachments(rest, out);
  return place;
}

Result<RequestHead> RequestReader::read_head(Serialization serialization, Bytes body) {
  head_texts_.clear();
  switch (serialization) {
    case Serialization::kHessian2:
      return read_hessian2(body);
    case Serialization::kFastjson2:
      return read_fastjson2_head(body, head_texts_);
    case Serialization::kFastjson:
      return read_fastjson_head(body, head_texts_);
    case Serialization::kJava:
    case Serialization::kCompactedJava:
    case Serialization::kNativeJava:
      return read_java_head(serialization, body, head_texts_);
    default:
      return unsupported(serialization, "the request head");
  }
}

Result<void> RequestReader::read_attachments(Serialization serialization, Bytes body,
                                             const RequestHead& head, Attachments& out) {
  attachment_texts_.clear();
  spliceable_ = {};
  out.clear();
  Result<AttachmentsPlace> place;
  switch (serialization) {
    case Serialization::kHessian2:
      place = read_hessian2(body, head, out);
      break;
    case Serialization::kFastjson2:
      place = read_fastjson2_attachments(body, head, attachment_texts_, out);
      break;
    case Serialization::kFastjson:
      place = read_fastjson_attachments(body, head, attachment_texts_, out);
      break;
    default:
      return unsupported(serialization, "attachments");
  }
  if (!place) return tl::unexpected<Error>(std::move(place.error()));
  spliceable_ = body;
  attachments_place_ = *place;
  return {};
}

std::optional<std::string_view> RequestReader::generic_method(Serialization serialization,
                                                              Bytes body, const RequestHead& head) {
  generic_texts_.clear();
  return read_argument(serialization, body, head, {.index = 0, .only_text = true}, generic_texts_);
}

std::optional<std::string_view> RequestReader::argument(Serialization serialization, Bytes body,
                                                        const RequestHead& head,
                                                        std::size_t index) {
  argument_texts_.clear();
  return read_argument(serialization, body, head, {.index = index}, argument_texts_);
}

std::optional<std::string_view> RequestReader::read_argument(Serialization serialization,
                                                             Bytes body, const RequestHead& head,
                                                             const ArgumentWish& wish,
                                                             TextArena& arena) {
  if (wish.index >= head.argument_count) return std::nullopt;
  switch (serialization) {
    case Serialization::kHessian2:
      return hessian2_argument(body, head, wish, hessian2_, arena);
    case Serialization::kFastjson2:
      return fastjson2_argument(body, head, wish, arena);
    case Serialization::kFastjson:
      return fastjson_argument(body, head, wish, arena);
    case Serialization::kJava:
    case Serialization::kCompactedJava:
    case Serialization::kNativeJava:
      if (wish.index > 0) return std::nullopt;
      return java_first_argument(serialization, body, arena);
    default:
      return std::nullopt;
  }
}

Result<void> RequestReader::cut_entries(Serialization serialization, Bytes body,
                                        const RequestHead& head, EntryCutter& cutter) {
  switch (serialization) {
    case Serialization::kHessian2:
      return cut_hessian2_entries(body, head, attachments_place_, hessian2_, splice_texts_, cutter);
    case Serialization::kFastjson2:
      return cut_fastjson2_entries(body, attachments_place_, splice_texts_, cutter);
    case Serialization::kFastjson:
      return cut_fastjson_entries(body, attachments_place_, splice_texts_, cutter);
    default:
      return unsupported(serialization, "attachments");
  }
}

Result<AttachmentSplice> RequestReader::splice(Serialization serialization, Bytes body,
                                               const RequestHead& head,
                                               const AttachmentChanges& changes,
                                               std::string& inserted) {
  using Form = AttachmentsPlace::Form;
  inserted.clear();
  if (!has_readable_attachments(serialization)) return unsupported(serialization, "attachments");
  if (spliceable_.data() != body.data() || spliceable_.size() != body.size() || body.empty()) {
    return fail(ErrorCode::kInvalidArgument, "attachments of a body that were not read last");
  }
  const AttachmentsPlace& place = attachments_place_;
  if (place.form == Form::kOther) {
    return fail(ErrorCode::kUnsupported, "body does not end with a map of attachments");
  }
  AttachmentSplice splice;
  bool has_entries = place.form == Form::kMap;
  if (has_entries && !changes.removed.empty()) {
    EntryCutter cutter(changes.removed, splice.cuts);
    if (auto cut = cut_entries(serialization, body, head, cutter); !cut) {
      return tl::unexpected<Error>(std::move(cut.error()));
    }
    splice.removed = cutter.removed();
    has_entries = cutter.kept() > 0;
  }
  splice.insert_at = place.end - 1;  // before the end of the map
  if (!changes.added.empty()) {
    const InsertedAs as = make_room(place, has_entries, splice);
    append_attachments(serialization, changes.added, as, inserted);
    splice.added = static_cast<std::uint32_t>(changes.added.size());
  }
  splice.body_size = body.size() - splice.cuts.total_bytes() + inserted.size();
  if (splice.body_size > std::numeric_limits<std::int32_t>::max()) {
    return fail(ErrorCode::kTooLarge,
                "body of " + std::to_string(splice.body_size) + " bytes with its new attachments");
  }
  splice.length_field_at = place.length_field_at;
  splice.length =
      static_cast<std::uint32_t>(splice.body_size - (body.size() - (place.end - place.begin)));
  return splice;
}

}  // namespace skiff::dubbo
