#include "agent/route_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "agent/route_json.h"

namespace skiff::agent {
namespace {

using governance::parse_virtual_host;
using governance::StaticRoutes;
using governance::VirtualHost;
using governance::VirtualHostPtr;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class FakeStore final : public RouteStore {
 public:
  SavedRoutes routes;

  SavedRoutes saved_routes() const override { return routes; }
  void on_routes_changed(SavedRoutes changed) override { routes = std::move(changed); }
  void when_routes_stored(std::function<void()> done) override { done(); }
};

std::string text_for(const std::string& domain) {
  return "domains: '" + domain + "'\nroutes: [{cluster: x}]\nclusters: [{name: x}]\n";
}

VirtualHostPtr host(const std::string& name, const std::string& domain) {
  return std::make_shared<const VirtualHost>(parse_virtual_host(text_for(domain), name).value());
}

class RouteBookTest : public testing::Test {
 protected:
  void open(std::vector<VirtualHostPtr> of_file = {}) {
    book_.emplace(FileRoutes{"skiff.yaml", std::move(of_file)}, &store_,
                  [this](std::shared_ptr<const StaticRoutes> routes) {
                    in_force_ = std::move(routes);
                    ++changes_;
                  });
  }
  Result<RouteBook::Change> put(const std::string& name, const std::string& domain) {
    return book_->put(host(name, domain), text_for(domain));
  }
  Result<bool> set_file(std::vector<VirtualHostPtr> hosts) {
    return book_->set_file_routes({"skiff.yaml", std::move(hosts)});
  }
  std::string found(const std::string& interface) const {
    const VirtualHostPtr one = in_force_->find(interface);
    return one ? one->name : "none";
  }

  FakeStore store_;
  std::shared_ptr<const StaticRoutes> in_force_ = std::make_shared<const StaticRoutes>();
  int changes_ = 0;
  std::optional<RouteBook> book_;
};

TEST_F(RouteBookTest, IsSilentWhereThereAreNone) {
  open();
  EXPECT_EQ(changes_, 0);
}

TEST_F(RouteBookTest, HasTheRoutesOfTheFileAndThoseOfTheApi) {
  open({host("file", "a.File")});
  EXPECT_EQ(found("a.File"), "file");
  EXPECT_EQ(put("api", "a.Api"), RouteBook::Change::kCreated);
  EXPECT_EQ(found("a.File"), "file");
  EXPECT_EQ(found("a.Api"), "api");
  EXPECT_THAT(store_.routes, ElementsAre(SavedRoute{"api", text_for("a.Api")}));
}

TEST_F(RouteBookTest, PutChangesWhatIsThere) {
  open();
  EXPECT_TRUE(put("demo", "a.One"));
  EXPECT_EQ(put("demo", "a.One"), RouteBook::Change::kUnchanged);
  EXPECT_EQ(changes_, 1);
  EXPECT_EQ(put("demo", "a.Two"), RouteBook::Change::kChanged);
  EXPECT_EQ(found("a.One"), "none");
  EXPECT_EQ(found("a.Two"), "demo");
}

TEST_F(RouteBookTest, APutThatDoesNotFitChangesNothing) {
  open({host("file", "a.File")});
  EXPECT_THAT(put("file", "a.Other").error().message,
              HasSubstr("the route file is in skiff.yaml: change it there"));
  EXPECT_THAT(put("api", "a.File").error().message,
              HasSubstr("routes api and file are both for the domain a.File"));
  EXPECT_EQ(changes_, 1);
  EXPECT_EQ(found("a.File"), "file");
  EXPECT_THAT(store_.routes, IsEmpty());
}

TEST_F(RouteBookTest, HasALimitForTheTextsThatItKeeps) {
  open();
  const auto put_text = [this](const std::string& name, std::size_t bytes) {
    return book_->put(host(name, "a." + name), std::string(bytes, '#'));
  };
  EXPECT_TRUE(put_text("a", RouteBook::kMaxTextBytes));
  EXPECT_TRUE(put_text("a", RouteBook::kMaxTextBytes));
  EXPECT_EQ(put_text("b", 1).error().code, ErrorCode::kTooLarge);
  EXPECT_TRUE(put_text("a", 1));
  EXPECT_TRUE(put_text("b", 1));
}

TEST_F(RouteBookTest, RemovesWhatTheApiGave) {
  open({host("file", "a.File")});
  put("api", "a.Api");
  EXPECT_TRUE(book_->remove("api"));
  EXPECT_EQ(found("a.Api"), "none");
  EXPECT_THAT(store_.routes, IsEmpty());
  EXPECT_EQ(book_->remove("api").error().code, ErrorCode::kNotFound);
  EXPECT_THAT(book_->remove("file").error().message, HasSubstr("take it out there"));
}

TEST_F(RouteBookTest, TakesAllRoutesOfAFileOrNone) {
  open({host("old", "a.Old")});
  put("api", "a.Api");
  const int before = changes_;
  EXPECT_THAT(set_file({host("new", "a.New"), host("bad", "a.Api")}).error().message,
              HasSubstr("routes api and bad are both for the domain a.Api"));
  EXPECT_THAT(set_file({host("new", "a.New"), host("api", "a.Other")}).error().message,
              HasSubstr("DELETE /routes/api, then have the file read again"));
  EXPECT_EQ(found("a.New"), "none");
  EXPECT_EQ(found("a.Old"), "old");
  EXPECT_EQ(changes_, before);
  EXPECT_EQ(set_file({host("new", "a.New")}), true);
  EXPECT_EQ(found("a.New"), "new");
  EXPECT_EQ(found("a.Old"), "none");
  EXPECT_EQ(found("a.Api"), "api");
  EXPECT_EQ(changes_, before + 1);
}

TEST_F(RouteBookTest, KeepsVirtualHostsThatDidNotChange) {
  open({host("a", "a.A"), host("b", "a.B")});
  const VirtualHostPtr before = in_force_->find("a.A");
  EXPECT_EQ(set_file({host("a", "a.A"), host("b", "a.B")}), false);
  EXPECT_EQ(changes_, 1);
  EXPECT_EQ(set_file({host("a", "a.A"), host("b", "a.C")}), true);
  EXPECT_EQ(in_force_->find("a.A"), before);
}

TEST_F(RouteBookTest, RemembersTheRoutesOfTheApi) {
  open();
  put("demo", "a.Demo");
  open({host("file", "a.File")});
  EXPECT_EQ(found("a.Demo"), "demo");
  EXPECT_EQ(found("a.File"), "file");
  EXPECT_EQ(book_->routes().find("demo")->second.text, text_for("a.Demo"));
}

TEST_F(RouteBookTest, GivesUpRememberedRoutesThatDoNotFitAnyMore) {
  store_.routes = {{"broken", "domains: ["},
                   {"file", text_for("a.Api")},
                   {"same", text_for("a.File")},
                   {"good", text_for("a.Good")}};
  open({host("file", "a.File")});
  EXPECT_EQ(found("a.Good"), "good");
  EXPECT_EQ(found("a.File"), "file");
  EXPECT_EQ(found("a.Api"), "none");
  EXPECT_THAT(store_.routes, ElementsAre(SavedRoute{"good", text_for("a.Good")}));
}

TEST(RouteJson, IsReadAsTheSameVirtualHost) {
  for (const char* text :
       {"{domains: '*', routes: [{cluster: x}], clusters: [{name: x}]}",
        "{domains: [a.B, 'c.*'], group: g, version: 1.0, routes: ["
        "{name: one, match: {method: {regex: '(a|\"b\")\\d'}, attachments: ["
        "{name: k, range: {start: -1, end: 5}, invert: true}, {name: p, present: false}, "
        "{name: s, suffix: é}, {name: t, prefix: ''}]}, timeout: 60s, "
        "weighted_clusters: [{name: x, weight: 0}, {name: y, weight: 100}], "
        "retry_policy: {retry_on: false}},"
        "{match: {method: m}, weighted_clusters: [{name: x, weight: 100}]}], clusters: ["
        "{name: x, lb_type: WEIGHTED_ROUNDROBIN, hosts: [{address: '[::1]:1'}, {address: "
        "'10.0.0.1:2', weight: 3}]}, {name: y, lb_type: CONSISTENT_HASH, subset: {a: b}}]}",
        "{domains: a.B, clusters: [{name: x}], filters: [{name: m, match: null, mirror: {cluster: "
        "x, percent: 0.5}}, {name: s, attachments: {set: {j: &b \"w\\x01\", l: *b}}}]}"}) {
    const auto read = parse_virtual_host(text, "demo");
    ASSERT_TRUE(read) << read.error().message;
    const auto again = parse_virtual_host(to_json(*read).dump());
    ASSERT_TRUE(again) << again.error().message << to_json(*read);
    EXPECT_EQ(*again, *read) << to_json(*read);
  }
}

}  // namespace
}  // namespace skiff::agent
