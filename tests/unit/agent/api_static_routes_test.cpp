#include "agent/api_static_routes.h"

#include <gmock/gmock.h>

#include "support/api_fixture.h"

namespace skiff::agent {
namespace {

using governance::parse_virtual_host;
using governance::VirtualHost;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr const char* kYaml = "domains: a.Demo\nroutes:\n- cluster: all\nclusters:\n- name: all\n";
constexpr const char* kJson =
    R"({"name":"demo","domains":["a.Demo"],"routes":[{"cluster":"all"}],"clusters":[{"name":"all"}]})";

class ApiStaticRoutes : public ApiFixture {
 protected:
  void add_file_route() {
    control_.ask([this](registry::ControlPlane&) {
      const auto host = std::make_shared<const VirtualHost>(
          *parse_virtual_host("{name: file, domains: b.Demo, routes: [{cluster: all}], "
                              "clusters: [{name: all}]}"));
      return backend_.route_book.set_file_routes({"/etc/skiff/skiff.yaml", {host}}).has_value();
    });
  }
};

TEST_F(ApiStaticRoutes, ArePutAsYamlOrJson) {
  const ApiResponse created = request("PUT", "/routes/demo", kYaml);
  EXPECT_EQ(created.status, 200);
  EXPECT_EQ(created.body, R"({"err_no":0,"err_msg":"put success","state":"created"})");
  EXPECT_EQ(json(request("PUT", "/routes/demo", kJson))["state"], "unchanged");
  EXPECT_EQ(json(request("PUT", "/routes/demo", std::string(kYaml) + "group: g\n"))["state"],
            "changed");
}

TEST_F(ApiStaticRoutes, AreShown) {
  add_file_route();
  request("PUT", "/routes/demo", kYaml);
  EXPECT_EQ(request("GET", "/routes").body,
            R"({"routes":[{"name":"demo","origin":"api","domains":["a.Demo"]},)"
            R"({"name":"file","origin":"file","file":"/etc/skiff/skiff.yaml",)"
            R"("domains":["b.Demo"]}]})");
  const auto shown = json(request("GET", "/routes/demo"));
  EXPECT_EQ(shown["text"], kYaml);
  EXPECT_EQ(shown["route"], nlohmann::json::parse(kJson));
  EXPECT_EQ(json(request("GET", "/routes/file"))["origin"], "file");
  EXPECT_FALSE(json(request("GET", "/routes/file")).contains("text"));
}

TEST_F(ApiStaticRoutes, AWrongPutChangesNothingAndSaysWhatIsWrong) {
  request("PUT", "/routes/demo", kYaml);
  const ApiResponse refused =
      request("PUT", "/routes/demo",
              "domains: a.Demo\nclusters: [{name: a}, {name: b}]\nroutes:\n- weighted_clusters:\n"
              "  - {name: a, weight: 9}\n  - {name: b, weight: 90}\n");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(json(refused)["err_no"], 1);
  EXPECT_EQ(json(refused)["err_msg"],
            "line 5: routes[0].weighted_clusters: weights sum to 99, expected 100");
  EXPECT_EQ(json(request("GET", "/routes/demo"))["text"], kYaml);
  for (const char* body : {"", "{", "[]", "null", "text"}) {
    EXPECT_EQ(request("PUT", "/routes/demo", body).status, 400) << body;
  }
  EXPECT_THAT(json(request("PUT", "/routes/other", kJson))["err_msg"],
              HasSubstr("name: came 'demo', expected other"));
  EXPECT_THAT(json(request("PUT", "/routes/other", kYaml))["err_msg"],
              HasSubstr("routes demo and other are both for the domain a.Demo"));
  EXPECT_EQ(request("PUT", "/routes/a b", kYaml).status, 400);
  EXPECT_EQ(json(request("GET", "/routes"))["routes"].size(), 1U);
}

TEST_F(ApiStaticRoutes, OfTheFileAreNotForTheApiToChange) {
  add_file_route();
  const ApiResponse put = request("PUT", "/routes/file", kYaml);
  EXPECT_EQ(put.status, 400);
  EXPECT_THAT(json(put)["err_msg"], AllOf(HasSubstr("/etc/skiff/skiff.yaml"), HasSubstr("change")));
  EXPECT_EQ(request("DELETE", "/routes/file").status, 400);
  EXPECT_EQ(request("GET", "/routes/file").status, 200);
}

TEST_F(ApiStaticRoutes, AreDeleted) {
  request("PUT", "/routes/demo", kYaml);
  const ApiResponse removed = request("DELETE", "/routes/demo");
  EXPECT_EQ(removed.status, 200);
  EXPECT_EQ(removed.body, R"({"err_no":0,"err_msg":"delete success","state":"removed"})");
  EXPECT_EQ(request("DELETE", "/routes/demo").status, 404);
  EXPECT_EQ(request("GET", "/routes/demo").status, 404);
}

TEST_F(ApiStaticRoutes, TakeTheMethodsThatTheyTake) {
  const ApiResponse posted = request("POST", "/routes/demo", kYaml);
  EXPECT_EQ(posted.status, 405);
  EXPECT_EQ(posted.allow, "GET, HEAD, PUT, DELETE");
  EXPECT_EQ(request("PUT", "/routes", kYaml).status, 405);
  EXPECT_EQ(request("GET", "/routes/").status, 404);
}

TEST_F(ApiStaticRoutes, DoNotChangeWhileTheAgentStops) {
  backend_.stopping = true;
  EXPECT_EQ(request("PUT", "/routes/demo", kYaml).status, 503);
  EXPECT_EQ(request("DELETE", "/routes/demo").status, 503);
  control_thread_.stop();
  EXPECT_EQ(request("GET", "/routes").status, 503);
}

}  // namespace
}  // namespace skiff::agent
