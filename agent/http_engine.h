#pragma once

#include <httplib.h>

#include <atomic>
#include <functional>

#include "agent/api.h"
#include "agent/http_stream.h"

namespace skiff::agent {

// The HTTP library as a reader of requests and writer of answers on sockets that are ours. Its own
// listener would share the port with a second agent (SO_REUSEPORT), has room for five waiting
// connections, gives up on some errors of accept(), and lets idle connections hold threads.
class HttpEngine final : private httplib::Server {
 public:
  using Application = std::function<ApiResponse(const ApiRequest&)>;

  explicit HttpEngine(Application application);

  // Reads a request from `stream` and answers it; any number of threads may do so at once. False
  // where the connection is to be closed.
  bool serve(HttpStream& stream);
  // From now on answers say that their connection ends with them.
  void close_connections() { closes_connections_ = true; }

 private:
  void reply(const ApiResponse& from, httplib::Response& to) const;
  ApiResponse answer(const httplib::Request& request, const httplib::ContentReader* reader);

  Application application_;
  std::atomic<bool> closes_connections_{false};
};

}  // namespace skiff::agent
