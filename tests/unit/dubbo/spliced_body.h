#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "dubbo/attachment_splice.h"

namespace skiff::dubbo::testing {

inline std::vector<std::byte> spliced_body(Bytes body, const AttachmentSplice& splice,
                                           const std::string& inserted) {
  std::vector<std::byte> whole(splice.body_size);
  write_spliced_body(body, splice, inserted, whole);
  return whole;
}

}  // namespace skiff::dubbo::testing
