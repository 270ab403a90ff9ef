#pragma once

#include <string>

#include "agent/config.h"
#include "dubbo/result.h"
#include "forwarder/socket.h"

namespace skiff::agent {

// A listening socket of the API. Of a Unix socket, the file goes with it.
class HttpListener {
 public:
  // Fails with kUnavailable and a sentence that names the address and what is wrong.
  static Result<HttpListener> open(const ApiAddress& address);

  HttpListener(HttpListener&& other) noexcept;
  HttpListener& operator=(HttpListener&&) = delete;
  HttpListener(const HttpListener&) = delete;
  HttpListener& operator=(const HttpListener&) = delete;
  ~HttpListener() { close(); }

  int fd() const { return fd_.get(); }
  // With the port that it really has.
  const ApiAddress& address() const { return address_; }
  void close();

 private:
  HttpListener(forwarder::Fd fd, ApiAddress address)
      : fd_(std::move(fd)), address_(std::move(address)) {}

  forwarder::Fd fd_;
  ApiAddress address_;
};

}  // namespace skiff::agent
