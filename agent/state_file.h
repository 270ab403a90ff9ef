#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "dubbo/result.h"

// Files of the state folder. One is replaced as a whole or not at all, and says of itself whether
// it is whole:
//
//   skiff-state <version> <size of the text> <FNV-1a of the text, 16 hexadecimal digits>\n
//   <text>
//
// Its text may be as large as the file is allowed to be; so it is written as it is made, piece by
// piece.
namespace skiff::agent {

inline constexpr unsigned kStateFileVersion = 1;
inline constexpr std::size_t kMaxStateFileBytes = std::size_t{128} * 1024 * 1024;
// Files that could not be used are kept under names with a suffix, this many of each.
inline constexpr int kMaxSetAside = 3;

// Makes a text: gives its pieces, in their order, to whom it is called with.
using TakePiece = std::function<void(std::string_view piece)>;
using StateText = std::function<void(const TakePiece& take)>;

// `text` with its first line in front.
std::string sealed(std::string_view text);
// The text behind the first line. Fails with kMalformed where it is not whole, kUnsupported where a
// newer agent wrote it.
Result<std::string> unsealed(std::string_view bytes);

// Writes a text so that after a crash at any moment the file holds either this or what it held
// before, and this once the call has returned. Only the owner may read it. Fails with kUnavailable
// (a sentence with the path), kTooLarge.
Result<void> write_state_file(const std::string& path, const StateText& text);
Result<void> write_state_file(const std::string& path, std::string_view text);

// Fails as unsealed(), with kNotFound, kTooLarge, or kUnavailable.
Result<std::string> read_state_file(const std::string& path);

// Renames a file that cannot be used to "<path>.unusable-1", older ones to -2 and so on. Returns
// the new name, or "" where that failed.
std::string set_aside(const std::string& path);

}  // namespace skiff::agent
