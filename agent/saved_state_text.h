#pragma once

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

// The text of lists, which are many: they are added one by one, and each gives its piece.
class SavedListsText {
 public:
  explicit SavedListsText(const TakePiece& take) : take_(take) { take_("{\"lists\":["); }

  void add(const std::string& registry, const std::string& interface,
           const registry::ListedProviders& providers);
  void end() { take_("]}"); }

 private:
  const TakePiece& take_;
  bool is_first_ = true;
};

// Never holds more of the document than one list. Providers whose URLs cannot be read are left out
// and logged.
Result<std::vector<registry::SavedList>> parse_saved_lists(std::string_view text);

}  // namespace skiff::agent
