#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace skiff::bench {

// `count` different interface names such as a company has them: few beginnings, many ends, 31 to 80
// characters. The same ones every time.
std::vector<std::string> service_names(std::size_t count);

}  // namespace skiff::bench
