#include "agent/http_engine.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "agent/text.h"

namespace skiff::agent {
namespace {

using namespace std::chrono_literals;
using httplib::Request;
using httplib::Response;

// Request line and headers together.
constexpr std::size_t kMaxHeadBytes = std::size_t{64} << 10;
// What is read and thrown away of a body that is too large, so that its sender gets to read why.
constexpr std::size_t kMaxDrainedBytes = std::size_t{64} << 20;
constexpr auto kRequestTime = 10s;
constexpr const char* kContentPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

bool has_body_method(const Request& request) {
  return request.method == "POST" || request.method == "PUT" || request.method == "PATCH" ||
         request.method == "DELETE";
}

bool is_number(const std::string& text) {
  constexpr std::size_t kMaxDigits = 18;
  return !text.empty() && text.size() <= kMaxDigits &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool announces_body(const Request& request) {
  return request.has_header("Transfer-Encoding") || request.has_header("Content-Length");
}

// False where it is not certain where the body ends and a next request begins.
bool has_clear_end(const Request& request) {
  if (!announces_body(request)) return true;
  const auto lengths = request.get_header_value_count("Content-Length");
  const bool is_chunked = request.has_header("Transfer-Encoding");
  if (!has_body_method(request)) {
    return !is_chunked && lengths == 1 && request.get_header_value("Content-Length") == "0";
  }
  if (is_chunked) {
    return lengths == 0 && request.get_header_value("Transfer-Encoding") == "chunked";
  }
  return lengths == 1 && is_number(request.get_header_value("Content-Length"));
}

// The library reads bodies of some content types in its own ways (forms above 8 KiB are refused,
// multipart is taken apart, compressed bodies are unpacked). Ours are JSON whatever they are
// called. Its routes are regular expressions that recurse for every character: it gets to see one
// path.
void prepare(Request& request) {
  request.headers.erase("Content-Type");
  request.headers.erase("Content-Encoding");
  request.target = std::exchange(request.path, "/");
  if (has_clear_end(request)) return;
  request.headers.erase("Connection");
  request.headers.emplace("Connection", "close");
}

ApiRequest api_request_of(const Request& request) {
  ApiRequest api;
  api.method = request.method;
  api.path = request.target;
  api.if_none_match = request.get_header_value("If-None-Match");
  for (const auto& [key, value] : request.params) api.query.insert_or_assign(key, value);
  return api;
}

void read_body(const httplib::ContentReader& reader, ApiRequest& request) {
  reader([&request](const char* data, std::size_t size) {
    if (request.body.size() + size > kMaxBodyBytes) request.body_too_large = true;
    if (!request.body_too_large) request.body.append(data, size);
    return true;
  });
  if (request.body_too_large) request.body.clear();
}

void put(const ApiResponse& from, Response& to) {
  to.status = from.status;
  to.set_content(from.body, from.content_type);
  to.set_header("Cache-Control", from.etag.empty() ? "no-store" : "no-cache");
  if (!from.etag.empty()) to.set_header("ETag", from.etag);
  // Names and errors of other machines stand in these answers: a browser is to take none of it for
  // a page, and the page that is ours may load and do what is ours alone.
  to.set_header("Content-Security-Policy", kContentPolicy);
  to.set_header("X-Content-Type-Options", "nosniff");
  to.set_header("Referrer-Policy", "no-referrer");
  if (!from.allow.empty()) to.set_header("Allow", from.allow);
}

// What the library refused by itself, before anything of ours was asked.
ApiResponse library_error(int status) {
  if (status == 414) return error_response(status, "path: expected at most 8192 bytes");
  if (status == 416) return error_response(status, "header Range: expected none");
  return error_response(status, "the request is not HTTP/1.1 as expected");
}

}  // namespace

HttpEngine::HttpEngine(Application application) : application_(std::move(application)) {
  set_pre_routing_handler([this](const Request& request, Response& response) {
    const bool reads_body = has_body_method(request) && has_clear_end(request);
    if (reads_body && announces_body(request)) return HandlerResponse::Unhandled;
    reply(answer(request, nullptr), response);
    return HandlerResponse::Handled;
  });
  const HandlerWithContentReader with_body = [this](const Request& request, Response& response,
                                                    const httplib::ContentReader& reader) {
    reply(answer(request, &reader), response);
  };
  Post("/", with_body);
  Put("/", with_body);
  Patch("/", with_body);
  Delete("/", with_body);
  const HandlerWithResponse explain = [](const Request& /*request*/, Response& response) {
    if (!response.body.empty()) return HandlerResponse::Unhandled;
    put(library_error(response.status), response);
    return HandlerResponse::Handled;
  };
  set_error_handler(explain);
  set_exception_handler([](const Request& request, Response& response, const std::exception_ptr&) {
    spdlog::error("API request {} {} failed inside", request.method,
                  std::string(cut_utf8(request.target, 200)));
    put(error_response(500, "the agent failed; its log says where"), response);
  });
}

void HttpEngine::reply(const ApiResponse& from, Response& to) const {
  put(from, to);
  if (closes_connections_) to.set_header("Connection", "close");
}

ApiResponse HttpEngine::answer(const Request& request, const httplib::ContentReader* reader) {
  if (!has_clear_end(request)) {
    return error_response(400, "body: expected its size in one Content-Length, or chunked");
  }
  ApiRequest api = api_request_of(request);
  if (reader != nullptr) read_body(*reader, api);
  // Browsers name the page that sends a request. A page from elsewhere must not publish services
  // or change routes on the machine of who looks at it.
  if (has_body_method(request) && request.has_header("Origin")) {
    return error_response(403, "header Origin: requests from web pages are refused");
  }
  return application_(api);
}

bool HttpEngine::serve(HttpStream& stream) {
  bool understood = false;
  bool connection_closed = false;
  stream.begin_request(kRequestTime, kMaxHeadBytes);
  const bool answered = process_request(stream, false, connection_closed, [&](Request& request) {
    prepare(request);
    understood = has_clear_end(request);
    stream.allow_more(kMaxDrainedBytes);
  });
  const bool sent = stream.flush();
  return answered && sent && understood && !connection_closed && !stream.failed() &&
         !closes_connections_;
}

}  // namespace skiff::agent
