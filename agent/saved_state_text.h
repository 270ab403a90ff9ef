#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/state_file.h"
#include "dubbo/result.h"
#include "registry/saved_state.h"

// The texts of the state files: JSON, so that people can read them. Pure.
namespace skiff::agent {

// Texts that are not UTF-8 lose what makes them so; the API lets none in.
void write_text(const registry::SavedState& state, const TakePiece& take);
std::string to_text(const registry::SavedState& state);
// Fails with kMalformed. Fields that are not known are ignored.
Result<registry::SavedState> parse_saved_state(std::string_view text);

// Immutable; may be read, and let go last, on any thread.
using SharedLists = std::vector<std::shared_ptr<const registry::SavedList>>;

// URLs that are not plain ASCII, or that JSON would escape, are written as the names of nodes are.
void write_text(const SharedLists& lists, const TakePiece& take);
// What a list takes of such a text, which is a few bytes longer than all its lists.
std::size_t text_size(const registry::SavedList& list);
std::string to_text(const std::vector<registry::SavedList>& lists);
// Fails with kMalformed. Never holds more of the document than one list. Providers whose URLs
// cannot be read are left out and logged; fields that are not known are ignored.
Result<std::vector<registry::SavedList>> parse_saved_lists(std::string_view text);

}  // namespace skiff::agent
