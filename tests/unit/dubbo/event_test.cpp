#include <gtest/gtest.h>

#include <vector>

#include "dubbo/recorded_frames.h"
#include "dubbo/response.h"

namespace skiff::dubbo {
namespace {

using testing::bytes_of;

struct EventCase {
  Serialization serialization;
  const char* body;
  EventKind kind;
};

TEST(Events, AreKnownInEachSerialization) {
  const std::vector<EventCase> cases = {
      {Serialization::kHessian2, "4e", EventKind::kHeartbeat},
      {Serialization::kHessian2, "", EventKind::kHeartbeat},
      {Serialization::kHessian2, "01 'R'", EventKind::kReadonly},
      {Serialization::kHessian2, "01 'W'", EventKind::kWriteable},
      {Serialization::kHessian2, "01 'X'", EventKind::kUnknown},
      {Serialization::kHessian2, "01 'R' 4e", EventKind::kUnknown},
      {Serialization::kFastjson2, "00000001 af", EventKind::kHeartbeat},
      {Serialization::kFastjson2, "00000002 4a 'R'", EventKind::kReadonly},
      {Serialization::kFastjson2, "00000002 4a 'W'", EventKind::kWriteable},
      {Serialization::kFastjson, "'null' 0a", EventKind::kHeartbeat},
      {Serialization::kFastjson, "22 'R' 22 0a", EventKind::kReadonly},
      {Serialization::kJava, "aced0005 770100", EventKind::kHeartbeat},
      {Serialization::kJava, "aced0005 770101 740001 'R'", EventKind::kReadonly},
      {Serialization::kCompactedJava, "aced0005 770101 740001 'W'", EventKind::kWriteable},
      {Serialization::kNativeJava, "aced0005 70", EventKind::kHeartbeat},
      {Serialization::kNativeJava, "aced0005 740001 'R'", EventKind::kReadonly},
      // Whatever a null looks like there.
      {Serialization::kKryo, "00", EventKind::kHeartbeat},
      {Serialization::kKryo, "00000000 00000000 00000000 00000000", EventKind::kUnknown},
  };
  for (const EventCase& c : cases) {
    EXPECT_EQ(event_kind(c.serialization, bytes_of(c.body)), c.kind)
        << name_of(c.serialization) << ' ' << c.body;
  }
}

TEST(Heartbeat, IsTheRecordedOne) {
  const auto& request = testing::recorded_frame("event-heartbeat-request");
  std::vector<std::byte> written;
  append_heartbeat_request(request.id, written);
  EXPECT_EQ(written, request.bytes);
}

TEST(Heartbeat, IsAnsweredAsStockPeersDo) {
  for (const char* prefix : {"", "java-"}) {
    const auto& request = testing::recorded_frame(std::string(prefix) + "event-heartbeat-request");
    const auto& response =
        testing::recorded_frame(std::string(prefix) + "event-heartbeat-response");
    std::vector<std::byte> written;
    append_heartbeat_response(*parse_frame_header(request.bytes, kDefaultBodyLimit), request.body(),
                              written);
    EXPECT_EQ(written, response.bytes) << prefix;
  }
}

TEST(Readonly, IsTheRecordedOne) {
  const auto& readonly = testing::recorded_frame("event-readonly");
  std::vector<std::byte> written;
  append_readonly_event(readonly.id, written);
  EXPECT_EQ(written, readonly.bytes);
}

TEST(Writeable, DiffersFromReadonlyInOneLetter) {
  std::vector<std::byte> readonly;
  append_readonly_event(5, readonly);
  std::vector<std::byte> writeable;
  append_writeable_event(5, writeable);
  readonly.back() = std::byte{'W'};
  EXPECT_EQ(writeable, readonly);
}

}  // namespace
}  // namespace skiff::dubbo
