#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "support/forwarder_fixture.h"

namespace skiff::forwarder {
namespace {

using ::testing::IsEmpty;
using testing::RawListener;
using testing::RawPeer;
using testing::request_frame;
using testing::response_frame;
using ::testing::SizeIs;

class RouteTableTest : public testing::ForwarderFixture {
 protected:
  auto endpoints() { return forwarder_->snapshot(testing::kDeadline).endpoints; }
};

TEST_F(RouteTableTest, HasNoEndpointsOfServicesThatNobodyCalls) {
  start();
  route({provider_at(provider_.port()), provider_at(1)});
  EXPECT_THAT(endpoints(), IsEmpty());
  route({provider_at(provider_.port()), provider_at(1), provider_at(2)});
  EXPECT_THAT(endpoints(), IsEmpty());
  RawPeer client = RawPeer::connect(forwarder_->outbound_port());
  client.send(request_frame({.id = 1}));
  EXPECT_TRUE(testing::eventually([&] { return endpoints().size() == 3; }));
}

TEST_F(RouteTableTest, KeepsTheConnectionsOfEndpointsThatStay) {
  start();
  route({provider_at(provider_.port())});
  RawPeer client = RawPeer::connect(forwarder_->outbound_port());
  client.send(request_frame({.id = 1}));
  RawPeer upstream = provider_.accept();
  ASSERT_TRUE(upstream.receive());
  route({provider_at(provider_.port())}, "", "2.0.0");
  route({provider_at(provider_.port())});
  EXPECT_THAT(endpoints(), SizeIs(1));
  client.send(request_frame({.id = 2}));
  EXPECT_TRUE(upstream.receive()) << "a new connection was made";
}

TEST_F(RouteTableTest, ForgetsEndpointsWithTheirService) {
  start();
  route({provider_at(provider_.port())});
  RawPeer client = RawPeer::connect(forwarder_->outbound_port());
  client.send(request_frame({.id = 1}));
  RawPeer upstream = provider_.accept();
  const auto request = upstream.receive();
  ASSERT_TRUE(request);
  upstream.send(response_frame(request->header.request_id, "answer"));
  ASSERT_TRUE(client.receive());
  forwarder_->remove_route("a.Service");
  EXPECT_THAT(endpoints(), IsEmpty());
}

}  // namespace
}  // namespace skiff::forwarder
