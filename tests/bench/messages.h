#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace skiff::bench {

// A call with one String argument, as a Java consumer sends it.
struct CallTemplate {
  std::string interface = "com.example.BenchService";
  std::string version;  // empty: none
  std::string group;    // empty: none
  std::string method = "echo";
  std::chrono::milliseconds timeout{3000};
  std::size_t argument_bytes = 128;
};

// The hessian2 body of the request, with the attachments that a Java consumer sends.
std::string request_body(const CallTemplate& call);
// The same with one String argument of that text.
std::string request_body(const CallTemplate& call, std::string_view argument);
// The hessian2 body of an answer: response type 1 (a value), then a String of `value_bytes`.
std::string answer_body(std::size_t value_bytes);

}  // namespace skiff::bench
