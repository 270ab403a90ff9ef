#pragma once

#include <string>
#include <string_view>

namespace skiff::registry {

// The MD5 (RFC 1321) of `text` as 32 lower-case hexadecimal digits: what Dubbo names revisions by.
// No protection against anybody.
std::string md5_hex(std::string_view text);

}  // namespace skiff::registry
