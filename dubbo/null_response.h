#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "dubbo/bytes.h"
#include "dubbo/serialization.h"

namespace skiff::dubbo {

// Whether append_null_response() knows the serialization: hessian2, fastjson2, fastjson.
bool can_write_null(Serialization serialization);

// Appends a whole response frame with status 20 whose value is null, as a provider answers whose
// method returned that (protocol.md 1: response type 2).
void append_null_response(std::uint64_t request_id, Serialization serialization,
                          std::vector<std::byte>& out);

// Whether the body of a response with status 20 says that the method threw (response types 0 and
// 3). False where that cannot be read.
bool says_exception(Serialization serialization, Bytes body);

}  // namespace skiff::dubbo
