#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agent/api_backend.h"
#include "agent/api_metrics.h"
#include "agent/control_client.h"

// The HTTP API without HTTP: what is asked, what is answered. The transport is http_server.h.
namespace skiff::agent {

inline constexpr std::size_t kMaxBodyBytes = std::size_t{1} << 20;

struct ApiRequest {
  std::string method;
  std::string path;  // decoded, without the query
  std::map<std::string, std::string> query;
  std::string body;
  bool body_too_large = false;  // more than kMaxBodyBytes came; `body` is empty then
  std::string if_none_match;    // the header
};

struct ApiResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::string allow;  // the header of a 405
  // A name for this very body, with quotes: who has it asks for it with If-None-Match. Answers
  // without one are not to be stored.
  std::string etag;
};

// A method and path that the API serves. A path that ends in "/{...}" takes one more segment.
struct ApiRoute {
  std::string_view method;
  std::string_view path;
};
std::vector<ApiRoute> api_routes();

// An answer of the form {"err_no": 1, "err_msg": sentence}.
ApiResponse error_response(int status, const std::string& sentence);

ApiResponse control_is_silent();

// Answers requests. Any number of threads may call it at once.
class Api {
 public:
  // Both must outlive it.
  Api(ControlClient& control, ApiBackend& backend) : control_(control), backend_(backend) {}

  ApiResponse handle(const ApiRequest& request);

 private:
  ControlClient& control_;
  ApiBackend& backend_;
  ApiCounters counters_;
};

}  // namespace skiff::agent
