#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "agent/api.h"
#include "agent/control_client.h"
#include "registry/control_thread.h"
#include "support/fake_control_plane.h"

namespace skiff::agent {

// The API over a control thread with a fake control plane, without HTTP.
class ApiFixture : public testing::Test {
 protected:
  ~ApiFixture() override { control_thread_.stop(); }

  ApiResponse request(const std::string& method, const std::string& path,
                      const std::string& body = "", std::map<std::string, std::string> query = {}) {
    ApiRequest request;
    request.method = method;
    request.path = path;
    request.body = body;
    request.query = std::move(query);
    return api_.handle(request);
  }
  ApiResponse post(const std::string& path, const std::string& body,
                   std::map<std::string, std::string> query = {}) {
    return request("POST", path, body, std::move(query));
  }
  static nlohmann::json json(const ApiResponse& response) {
    return nlohmann::json::parse(response.body);
  }

  FakeControlPlane plane_;
  FakeBackend backend_;
  registry::ControlThread control_thread_{"test-control"};
  ControlClient control_{control_thread_, plane_};
  Api api_{control_, backend_};
};

}  // namespace skiff::agent
