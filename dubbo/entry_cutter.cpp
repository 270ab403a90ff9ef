#include "dubbo/entry_cutter.h"

#include <algorithm>
#include <string>

#include "dubbo/text.h"

namespace skiff::dubbo {
namespace {

// What our decoders put for bytes that are no text.
constexpr std::string_view kReplacement = "\xef\xbf\xbd";
// Java's UTF-16 takes these off the front, and swaps all bytes behind the second.
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::string_view kSwappedByteOrderMark = "\xef\xbf\xbe";

bool is_read_alike_everywhere(std::string_view name) {
  return is_ascii(name) ||
         (name.find(kReplacement) == std::string_view::npos && !name.starts_with(kByteOrderMark) &&
          !name.starts_with(kSwappedByteOrderMark));
}

}  // namespace

Result<bool> EntryCutter::removes(std::string_view name) const {
  if (!is_read_alike_everywhere(name)) {
    return fail(ErrorCode::kUnsupported,
                "attachments cannot be removed: the name of one is no well-formed text");
  }
  return std::ranges::find(names_, name) != names_.end();
}

Result<void> EntryCutter::pass(ByteRange entry, bool is_removed) {
  if (!is_removed) {
    if (cut_is_open_ && kept_ == 0) cuts_.extend_last(entry.begin);
    ++kept_;
    kept_end_ = entry.end;
  } else {
    ++removed_;
    if (cut_is_open_) {
      cuts_.extend_last(entry.end);
    } else if (!cuts_.add({kept_ > 0 ? kept_end_ : entry.begin, entry.end})) {
      return fail(ErrorCode::kTooLarge, "attachments to remove stand in more than " +
                                            std::to_string(Cuts::kCapacity) + " places");
    }
  }
  cut_is_open_ = is_removed;
  return {};
}

tl::unexpected<Error> cannot_remove(std::string_view name, std::string_view why) {
  return fail(ErrorCode::kUnsupported,
              "attachment '" + std::string(name) + "' cannot be removed: " + std::string(why));
}

}  // namespace skiff::dubbo
