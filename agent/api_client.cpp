#include "agent/api_client.h"

#include <sys/socket.h>

namespace skiff::agent {
namespace {

using namespace std::chrono_literals;

constexpr auto kConnectTime = 2s;

httplib::ClientImpl make_client(const ApiAddress& api) {
  constexpr int kAnyPort = 80;  // of a Unix socket; the library wants one
  const bool is_unix = api.is_unix();
  return httplib::ClientImpl(is_unix ? api.path : api.host, is_unix ? kAnyPort : api.port);
}

std::string explain(httplib::Error error) {
  switch (error) {
    case httplib::Error::Connection:
    case httplib::Error::ConnectionTimeout:
      return "cannot connect";
    case httplib::Error::Read:
      return "it closed the connection, or took too long";
    default:
      return httplib::to_string(error);
  }
}

}  // namespace

Result<ApiAnswer> ask_agent(const ApiAddress& api, std::chrono::milliseconds patience,
                            const std::function<httplib::Result(httplib::ClientImpl&)>& send) {
  httplib::ClientImpl client = make_client(api);
  if (api.is_unix()) client.set_address_family(AF_UNIX);
  client.set_default_headers({{"Host", "localhost"}});
  client.set_connection_timeout(kConnectTime);
  client.set_read_timeout(patience);
  const httplib::Result result = send(client);
  if (!result) {
    return fail(ErrorCode::kUnavailable, "no answer from the agent at " + api.to_string() + ": " +
                                             explain(result.error()) + "; is it running?");
  }
  return ApiAnswer{.status = result->status, .body = result->body};
}

}  // namespace skiff::agent
