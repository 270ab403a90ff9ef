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
  // One that another process has opened there; the file is that process's until own_file().
  HttpListener(ApiAddress address, forwarder::Fd fd)
      : fd_(std::move(fd)), address_(std::move(address)) {}

  HttpListener(HttpListener&& other) noexcept;
  HttpListener& operator=(HttpListener&&) = delete;
  HttpListener(const HttpListener&) = delete;
  HttpListener& operator=(const HttpListener&) = delete;
  ~HttpListener() { close(); }

  HttpListener duplicate() const { return {address_, fd_.duplicate()}; }

  int fd() const { return fd_.get(); }
  // With the port that it really has.
  const ApiAddress& address() const { return address_; }
  void close();
  void own_file() { owns_file_ = true; }
  // Another process goes on with it: the file stays.
  forwarder::Fd leave() { return std::move(fd_); }

 private:
  forwarder::Fd fd_;
  ApiAddress address_;
  bool owns_file_ = false;
};

}  // namespace skiff::agent
