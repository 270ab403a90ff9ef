#include "agent/http_server.h"

#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "support/api_fixture.h"

namespace skiff::agent {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// A plain socket, for what no HTTP client would send.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const auto address = forwarder::SocketAddress::parse("127.0.0.1", port);
    EXPECT_EQ(connect(fd_.get(), address->data(), address->size()), 0);
    const timeval limit{.tv_sec = 30, .tv_usec = 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  }

  void send(const std::string& text) {
    EXPECT_EQ(::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }
  // What comes until `end` is in it, or the connection ends.
  std::string receive_until(const std::string& end) {
    std::array<char, 4096> buffer{};
    while (received_.find(end) == std::string::npos) {
      const ssize_t count = recv(fd_.get(), buffer.data(), buffer.size(), 0);
      if (count <= 0) break;
      received_.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return std::exchange(received_, "");
  }
  std::string receive_all() { return receive_until("\x01never\x01"); }

 private:
  forwarder::Fd fd_;
  std::string received_;
};

class HttpServerTest : public ApiFixture {
 protected:
  HttpServerTest() { start({ApiAddress{.host = "127.0.0.1", .port = 0, .path = {}}}); }
  ~HttpServerTest() override { server_.reset(); }

  void start(const std::vector<ApiAddress>& addresses) {
    auto listeners = HttpServer::listen(addresses);
    ASSERT_TRUE(listeners) << listeners.error().message;
    auto server = HttpServer::start(
        std::move(*listeners), [this](const ApiRequest& request) { return api_.handle(request); });
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
  }
  std::uint16_t port() const { return server_->addresses().front().port; }
  httplib::Client client() const {
    httplib::Client http("127.0.0.1", port());
    http.set_read_timeout(60s);
    return http;
  }

  std::unique_ptr<HttpServer> server_;
};

const std::string kBody = R"({"service":{"interface":"com.example.Demo"}})";

TEST_F(HttpServerTest, AnswersAPublication) {
  const auto response = client().Post("/publish", kBody, "application/json");
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->get_header_value("Content-Type"), "application/json");
  EXPECT_EQ(nlohmann::json::parse(response->body)["state"], "registered");
}

TEST_F(HttpServerTest, ReadsJsonWhateverItIsCalled) {
  for (const char* type : {"application/x-www-form-urlencoded", "text/plain", "multipart/form-data",
                           "multipart/form-data; boundary=x", "", "application/json; charset=x"}) {
    const auto response = client().Post("/publish", kBody, type);
    ASSERT_TRUE(response) << type;
    EXPECT_EQ(response->status, 200) << type;
  }
}

TEST_F(HttpServerTest, ReadsLongBodiesThatCurlCallsForms) {
  const std::string body =
      R"({"service":{"interface":"a","x":")" + std::string(100'000, 'x') + "\"}}";
  const auto response = client().Post("/publish", body, "application/x-www-form-urlencoded");
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 200);
}

TEST_F(HttpServerTest, ReadsChunkedBodies) {
  RawClient raw(port());
  raw.send("POST /publish HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (const char c : kBody) raw.send(std::string("1\r\n") + c + "\r\n");
  raw.send("0\r\n\r\n");
  EXPECT_THAT(raw.receive_until("}"), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, RefusesABodyOfTenMebibytesAndGoesOn) {
  httplib::Client http = client();
  http.set_keep_alive(true);
  const auto response = http.Post("/publish", std::string(10U << 20U, 'x'), "application/json");
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 413);
  EXPECT_EQ(nlohmann::json::parse(response->body)["err_no"], 1);
  EXPECT_EQ(http.Post("/publish", kBody, "application/json")->status, 200);
}

TEST_F(HttpServerTest, RefusesABodyThatIsLargerThanItMayReadAway) {
  RawClient raw(port());
  raw.send("POST /publish HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999999\r\n\r\n");
  const std::string mebibyte(1U << 20U, 'x');
  for (int i = 0; i < 64; ++i) raw.send(mebibyte);
  raw.send(std::string(65'536, 'x'));
  EXPECT_THAT(raw.receive_all(), StartsWith("HTTP/1.1 413"));
}

TEST_F(HttpServerTest, TakesOneMebibyteExactly) {
  const std::string start = R"({"service":{"interface":"a","x":")";
  const std::string end = "\"}}";
  const std::string fits =
      start + std::string(kMaxBodyBytes - start.size() - end.size(), 'x') + end;
  EXPECT_EQ(client().Post("/publish", fits, "application/json")->status, 200);
  EXPECT_EQ(client().Post("/publish", fits + " ", "application/json")->status, 413);
}

TEST_F(HttpServerTest, RefusesAPostWithoutABodyAtOnce) {
  RawClient raw(port());
  raw.send("POST /publish HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string answer = raw.receive_until("}");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(answer, HasSubstr("body: came nothing"));
}

TEST_F(HttpServerTest, RefusesUnknownPathsAndMethods) {
  httplib::Client http = client();
  http.set_keep_alive(true);
  EXPECT_EQ(http.Post("/nowhere", std::string(50'000, 'x'), "text/plain")->status, 404);
  const auto get = http.Get("/publish");
  EXPECT_EQ(get->status, 405);
  EXPECT_EQ(get->get_header_value("Allow"), "POST");
  EXPECT_EQ(nlohmann::json::parse(get->body)["err_no"], 1);
  EXPECT_EQ(http.Put("/publish", kBody, "text/plain")->status, 405);
  EXPECT_EQ(http.Patch("/publish", kBody, "text/plain")->status, 405);
  EXPECT_EQ(http.Delete("/publish", kBody, "text/plain")->status, 405);
  EXPECT_EQ(http.Options("/publish")->status, 405);
  EXPECT_EQ(http.Post("/healthz", kBody, "text/plain")->status, 405);
}

TEST_F(HttpServerTest, DecodesPathsAndQueries) {
  plane_.services["a$b"] = {.interface = "a$b", .list_in_hand = true, .providers = {}};
  EXPECT_EQ(client().Get("/services/a%24b")->status, 200);
  EXPECT_EQ(client().Post("/publish?wait=0", kBody, "text/plain")->status, 200);
  EXPECT_EQ(client().Post("/publish?wait=x", kBody, "text/plain")->status, 400);
  EXPECT_EQ(client().Get("/" + std::string(8'000, 'x'))->status, 404);
  EXPECT_EQ(client().Get("/" + std::string(9'000, 'x'))->status, 414);
}

TEST_F(HttpServerTest, SendsAFileOfThePageOnlyToWhoHasAnother) {
  httplib::Client http = client();
  http.set_keep_alive(true);
  const auto first = http.Get("/page/main.mjs");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->status, 200);
  EXPECT_EQ(first->get_header_value("Cache-Control"), "no-cache");
  const std::string etag = first->get_header_value("ETag");
  const auto second = http.Get("/page/main.mjs", {{"If-None-Match", etag}});
  EXPECT_EQ(second->status, 304);
  EXPECT_EQ(second->body, "");
  EXPECT_EQ(second->get_header_value("ETag"), etag);
  EXPECT_EQ(http.Get("/page/style.css", {{"If-None-Match", etag}})->status, 200);
  EXPECT_EQ(http.Get("/page/none.css")->status, 404);
}

TEST_F(HttpServerTest, LetsBrowsersLoadNothingFromElsewhere) {
  for (const char* path : {"/", "/page/main.mjs", "/status", "/nowhere"}) {
    const auto response = client().Get(path);
    EXPECT_THAT(response->get_header_value("Content-Security-Policy"),
                StartsWith("default-src 'none'; script-src 'self'"));
    EXPECT_EQ(response->get_header_value("X-Content-Type-Options"), "nosniff");
  }
}

TEST_F(HttpServerTest, AnswersHeadWithoutABody) {
  const auto response = client().Head("/healthz");
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "");
}

TEST_F(HttpServerTest, RefusesRequestsOfWebPages) {
  httplib::Client http = client();
  http.set_default_headers({{"Origin", "http://evil.example"}});
  EXPECT_EQ(http.Post("/publish", kBody, "text/plain")->status, 403);
  EXPECT_TRUE(plane_.published.empty());
}

TEST_F(HttpServerTest, AnswersRequestsThatComeTogetherInTheirOrder) {
  RawClient raw(port());
  raw.send(
      "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"
      "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string answers = raw.receive_all();
  const auto first = answers.find("HTTP/1.1 200");
  const auto second = answers.find("HTTP/1.1 404");
  const auto third = answers.rfind("HTTP/1.1 200");
  EXPECT_LT(first, second);
  EXPECT_LT(second, third);
}

struct BrokenRequest {
  const char* name;
  std::string text;
  const char* status;
};

class BrokenRequestTest : public HttpServerTest,
                          public testing::WithParamInterface<BrokenRequest> {};

TEST_P(BrokenRequestTest, IsAnsweredAndTheConnectionClosed) {
  RawClient raw(port());
  raw.send(GetParam().text);
  const std::string answer = raw.receive_all();
  EXPECT_THAT(answer, StartsWith(std::string("HTTP/1.1 ") + GetParam().status));
  EXPECT_THAT(answer, HasSubstr("\"err_no\":1"));
}

INSTANTIATE_TEST_SUITE_P(
    All, BrokenRequestTest,
    testing::Values(
        BrokenRequest{"Garbage", "\xda\xbb\xc2garbage\r\n\r\n", "400"},
        BrokenRequest{"NoVersion", "GET /healthz\r\n\r\n", "400"},
        BrokenRequest{"UnknownMethod", "BREW /publish HTTP/1.1\r\n\r\n", "400"},
        BrokenRequest{"TwoLengths",
                      "POST /publish HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
                      "400"},
        BrokenRequest{"NegativeLength", "POST /publish HTTP/1.1\r\nContent-Length: -1\r\n\r\nx",
                      "400"},
        BrokenRequest{"LengthAndChunks",
                      "POST /publish HTTP/1.1\r\nContent-Length: 1\r\n"
                      "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                      "400"},
        BrokenRequest{"BodyOfAGet", "GET /healthz HTTP/1.1\r\nContent-Length: 3\r\n\r\nxyz", "400"},
        BrokenRequest{"Http2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400"},
        BrokenRequest{"LongHead",
                      "GET /healthz HTTP/1.1\r\nX: " + std::string(9'000, 'x') + "\r\n\r\n", "400"},
        BrokenRequest{"BadRange", "GET /healthz HTTP/1.1\r\nRange: bytes=x\r\n\r\n", "416"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(HttpServerTest, EndlessHeadersAreCutOff) {
  RawClient raw(port());
  raw.send("GET /healthz HTTP/1.1\r\n");
  const std::string header = "X-Header: " + std::string(1000, 'x') + "\r\n";
  for (int i = 0; i < 70; ++i) raw.send(header);
  EXPECT_THAT(raw.receive_all(), StartsWith("HTTP/1.1 400"));
}

TEST_F(HttpServerTest, ServesSixtyFourClientsAtOnceEachItsOwnAnswer) {
  constexpr int kClients = 64;
  constexpr int kRequests = 10;
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  threads.reserve(kClients);
  for (int i = 0; i < kClients; ++i) {
    threads.emplace_back([this, i, &right] {
      httplib::Client http = client();
      http.set_keep_alive(i % 2 == 0);
      for (int j = 0; j < kRequests; ++j) {
        const std::string name = "com.example.S" + std::to_string(i * kRequests + j);
        const auto response =
            http.Post("/publish", R"({"service":{"interface":")" + name + R"("}})", "text/plain");
        if (response && response->status == 200 &&
            nlohmann::json::parse(response->body)["url"] == "dubbo://10.0.0.5:20882/" + name) {
          ++right;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, kClients * kRequests);
  EXPECT_EQ(plane_.published.size(), static_cast<std::size_t>(kClients * kRequests));
}

TEST_F(HttpServerTest, IdleConnectionsHoldNobodyUp) {
  std::vector<std::unique_ptr<RawClient>> idle;
  for (std::size_t i = 0; i < HttpServer::kMaxThreads + 50; ++i) {
    idle.push_back(std::make_unique<RawClient>(port()));
    idle.back()->send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(idle.back()->receive_until("}"), StartsWith("HTTP/1.1 200"));
  }
  EXPECT_EQ(client().Get("/healthz")->status, 200);
  idle.front()->send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(idle.front()->receive_until("}"), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, RefusesAPortThatIsTaken) {
  const auto second = HttpServer::listen({server_->addresses().front()});
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message,
              HasSubstr("--api: cannot listen on 127.0.0.1:" + std::to_string(port())));
}

TEST_F(HttpServerTest, WhilePausedRequestsWaitAndThenAreAnswered) {
  RawClient kept(port());
  kept.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  kept.receive_until("}");
  ASSERT_TRUE(server_->pause(0, 5s));
  kept.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  RawClient fresh(port());
  fresh.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(server_->pause(0, 5s));  // neither was begun
  server_->resume();
  EXPECT_THAT(kept.receive_until("}"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(fresh.receive_until("}"), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, ASuccessorGoesOnWithListenersAndConnections) {
  RawClient kept(port());
  kept.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  kept.receive_until("}");
  ASSERT_TRUE(server_->pause(0, 5s));
  auto listeners = server_->duplicate_listeners();
  RawClient fresh(port());
  auto clients = server_->leave_to_successor();
  EXPECT_EQ(clients.size(), 1U);
  auto successor = HttpServer::start(
      std::move(listeners), [this](const ApiRequest& request) { return api_.handle(request); },
      true);
  ASSERT_TRUE(successor);
  server_ = std::move(*successor);
  server_->go_on();
  server_->adopt(std::move(clients));
  for (RawClient* client : {&kept, &fresh}) {
    client->send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(client->receive_until("}"), StartsWith("HTTP/1.1 200"));
  }
}

TEST_F(HttpServerTest, StopsWhileClientsAreInTheMiddleOfSomething) {
  RawClient idle(port());
  idle.send("GET /healthz HTTP/1.1\r\n\r\n");
  idle.receive_until("}");
  RawClient half(port());
  half.send("POST /publish HTTP/1.1\r\nContent-Length: 10\r\n\r\n{");
  const auto start = std::chrono::steady_clock::now();
  server_.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
  EXPECT_EQ(idle.receive_all(), "");
}

class UnixSocketTest : public HttpServerTest {
 protected:
  UnixSocketTest() {
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
    address_.path = folder_ + "/api.sock";
  }
  ~UnixSocketTest() override {
    server_.reset();
    EXPECT_EQ(rmdir(folder_.c_str()), 0) << "something was left behind";
  }

  httplib::ClientImpl unix_client() const { return httplib::ClientImpl(address_.path, 80); }

  std::string folder_ = testing::TempDir() + "skiff-api-XXXXXX";
  ApiAddress address_;
};

TEST_F(UnixSocketTest, ServesItsGroupOnly) {
  start({address_});
  struct stat info {};
  ASSERT_EQ(stat(address_.path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0660U);
  httplib::ClientImpl http = unix_client();
  http.set_address_family(AF_UNIX);
  EXPECT_EQ(http.Get("/healthz")->status, 200);
}

TEST_F(UnixSocketTest, TakesThePlaceOfAStaleFileOnly) {
  {
    const forwarder::Fd stale(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    address_.path.copy(std::begin(name.sun_path), sizeof(name.sun_path) - 1);
    ASSERT_EQ(bind(stale.get(), reinterpret_cast<const sockaddr*>(&name), sizeof(name)), 0);
  }
  start({address_});
  const auto second = HttpServer::listen({address_});
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr("another process listens there"));
  httplib::ClientImpl http = unix_client();
  http.set_address_family(AF_UNIX);
  EXPECT_EQ(http.Get("/healthz")->status, 200);
}

}  // namespace
}  // namespace skiff::agent
