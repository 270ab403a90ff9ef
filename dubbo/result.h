#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace skiff {

// What kind of failure it was, for the callers that act on it.
enum class ErrorCode {
  kInvalidArgument,  // a caller's value is wrong; the message names it
  kIncomplete,       // more bytes are needed before anything can be said
  kMalformed,        // bytes that no peer may send
  kTooLarge,         // over a limit of ours
  kUnsupported,      // well-formed, but of a kind that we do not read
  kNotFound,
  kUnavailable,  // a peer is away; trying again later may help
  kTimeout,
  kInternal,
};

// A failure that a caller must handle. `message` is one sentence with the facts in it:
// "provider port 0: expected 1..65535".
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
};

template <typename T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(ErrorCode code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message)});
}

}  // namespace skiff
