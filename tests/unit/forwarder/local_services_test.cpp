#include "forwarder/inbound/local_services.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "support/raw_peer.h"

namespace skiff::forwarder {
namespace {

using testing::request_frame;
using testing::RequestSpec;

std::uint16_t port_for(LocalServices& services, const RequestSpec& spec) {
  std::string bytes = request_frame(spec);
  return services.destination_of(Frame::first_of(std::as_writable_bytes(std::span(bytes)))).port;
}

TEST(LocalServices, SendsEverythingToTheDefaultPortWhereNothingIsPublished) {
  LocalServices services(20880);
  services.update({});
  EXPECT_EQ(port_for(services, {}), 20880);
}

TEST(LocalServices, DoesNotReadRequestsWhereOnePortServesAll) {
  LocalServices services(20880);
  services.update({{{"a.Service", "", ""}, 30001}, {{"b.Service", "g", "1.0"}, 30001}});
  EXPECT_EQ(port_for(services, {.interface = "c.Unknown"}), 30001);
}

TEST(LocalServices, ChoosesThePortByInterfaceVersionAndGroup) {
  LocalServices services(20880);
  services.update({{{"a.Service", "", ""}, 30001},
                   {{"a.Service", "", "1.0"}, 30002},
                   {{"a.Service", "g", "1.0"}, 30003}});
  EXPECT_EQ(port_for(services, {}), 30001);
  EXPECT_EQ(port_for(services, {.version = "1.0"}), 30002);
  EXPECT_EQ(port_for(services, {.version = "1.0", .attachments = {{"group", "g"}}}), 30003);
  EXPECT_EQ(port_for(services, {.version = "2.0"}), 20880) << "nobody published it";
  EXPECT_EQ(port_for(services, {.interface = "x", .attachments = {{"interface", "a.Service"}}}),
            30001)
      << "the path is not the interface";
  EXPECT_EQ(port_for(services, {.interface = "/context/a.Service"}), 30001);
}

TEST(LocalServices, SpreadsAServiceOverItsPorts) {
  LocalServices services(20880);
  services.update({{{"a.Service", "", ""}, 30001}, {{"a.Service", "", ""}, 30002}});
  const std::set<std::uint16_t> ports{port_for(services, {}), port_for(services, {})};
  EXPECT_EQ(ports, (std::set<std::uint16_t>{30001, 30002}));
}

TEST(LocalServices, ChoosesAmongThePortsThatServe) {
  LocalServices services(20880);
  services.update({{{"a.Service", "", ""}, 30001, "is down"}, {{"a.Service", "", ""}, 30002}});
  for (int i = 0; i < 4; ++i) EXPECT_EQ(port_for(services, {}), 30002);
  EXPECT_EQ(services.why_down(30001), "is down");
  EXPECT_EQ(services.why_down(30002), "");
}

TEST(LocalServices, CallsAPortDownOnlyWhereAllThatIsPublishedThereIs) {
  LocalServices services(20880);
  services.update({{{"a.Service", "", ""}, 30001, "is down"}, {{"b.Service", "", ""}, 30001}});
  EXPECT_EQ(services.why_down(30001), "");
  services.update(
      {{{"a.Service", "", ""}, 30001, "is down"}, {{"b.Service", "", ""}, 30001, "is down"}});
  EXPECT_EQ(services.why_down(30001), "is down");
}

TEST(LocalServices, SayWhichAreDownOrLeave) {
  LocalServices services(20880);
  services.update({{.service = {"a.B", "red", "1.0.0"}, .port = 1, .down = "it is dead"},
                   {.service = {"a.B", "red", "1.0.0"}, .port = 2},
                   {.service = {"a.C", "", ""}, .port = 1, .down = "it is dead"},
                   {.service = {"a.D", "", ""}, .port = 2, .leaving = true},
                   {.service = {"a.E", "", ""}, .port = 2}});
  EXPECT_THAT(services.down_of({"red/a.B:1.0.0", "a.C", "a.D", "a.E", "a.Unknown"}),
              ::testing::ElementsAre("a.C", "a.D"));
}

}  // namespace
}  // namespace skiff::forwarder
