// The HTTP library fills static tables in its first request. The compiler guards them, but
// ThreadSanitizer cannot see the guard inside the library: one request has to be over before
// several threads serve at once.

#include <gtest/gtest.h>
#include <httplib.h>

#include "agent/http_server.h"

namespace {

using skiff::agent::ApiAddress;
using skiff::agent::ApiRequest;
using skiff::agent::ApiResponse;
using skiff::agent::HttpServer;

class HttpBeforeThreads : public testing::Environment {
 public:
  void SetUp() override {
    auto listeners = HttpServer::listen({ApiAddress{.host = "127.0.0.1", .port = 0, .path = {}}});
    ASSERT_TRUE(listeners) << listeners.error().message;
    const auto server =
        HttpServer::start(std::move(*listeners), [](const ApiRequest&) { return ApiResponse{}; });
    ASSERT_TRUE(server) << server.error().message;
    httplib::Client client("127.0.0.1", (*server)->addresses().front().port);
    EXPECT_TRUE(client.Get("/"));
    EXPECT_TRUE(client.Post("/", "{}", "application/json"));
  }
};

[[maybe_unused]] const auto* const kEnvironment =
    testing::AddGlobalTestEnvironment(new HttpBeforeThreads);

}  // namespace
