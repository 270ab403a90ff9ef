#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "dubbo/attachment_splice.h"
#include "dubbo/result.h"

// Internal to dubbo/.
namespace skiff::dubbo {

// Chooses what is cut from a map so that the entries of some names go. It is shown every entry of
// the map in the order of the wire; what a decoder might read otherwise than we do is refused, so
// that no such entry stays by mistake. Errors are kUnsupported and kTooLarge.
class EntryCutter {
 public:
  // Both outlive the cutter.
  EntryCutter(std::span<const std::string_view> names, Cuts& cuts) : names_(names), cuts_(cuts) {}

  // Whether entries of this name go. Fails where stock decoders may see another name: `name` had
  // bytes that are no text, or a byte order mark.
  Result<bool> removes(std::string_view name) const;

  // The next entry, and whether it goes. With it goes what separates it from the entry before, or,
  // where none is left there, from the one behind.
  Result<void> pass(ByteRange entry, bool is_removed);

  std::uint32_t removed() const { return removed_; }
  std::uint32_t kept() const { return kept_; }

 private:
  std::span<const std::string_view> names_;
  Cuts& cuts_;
  std::uint32_t removed_ = 0;
  std::uint32_t kept_ = 0;
  std::size_t kept_end_ = 0;  // of the entry that was kept last
  bool cut_is_open_ = false;  // the entry before went
};

// Why an entry that should go stays: "attachment 'name' cannot be removed: <why>".
tl::unexpected<Error> cannot_remove(std::string_view name, std::string_view why);

}  // namespace skiff::dubbo
