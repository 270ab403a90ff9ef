#include "registry/memory/memory_registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/manual_executor.h"

namespace skiff::registry {
namespace {

using testing::_;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::StrictMock;

class MockEvents : public RegistryEvents {
 public:
  MOCK_METHOD(void, on_connection, (bool, const std::string&), (override));
  MOCK_METHOD(void, on_registered, (const dubbo::Url&), (override));
  MOCK_METHOD(void, on_register_failed, (const dubbo::Url&, const Error&), (override));
  MOCK_METHOD(void, on_unregistered, (const dubbo::Url&), (override));
  MOCK_METHOD(void, on_providers, (const std::string&, const std::vector<dubbo::Url>&), (override));
};

dubbo::Url url_of(const std::string& text) { return *dubbo::Url::parse(text); }

class MemoryRegistryTest : public testing::Test {
 protected:
  void start() {
    EXPECT_CALL(events_, on_connection(true, _));
    registry_.start();
    executor_.run();
  }

  const dubbo::Url provider_ = url_of("dubbo://10.0.0.1:1/a.B?interface=a.B");
  const dubbo::Url consumer_ = url_of("consumer://10.0.0.1/a.B?interface=a.B");
  ManualExecutor executor_;
  StrictMock<MockEvents> events_;
  MemoryRegistry registry_{executor_, events_};
};

TEST_F(MemoryRegistryTest, ReportsNothingFromInsideACall) {
  registry_.start();
  registry_.register_url(provider_);
  registry_.watch("a.B");
  EXPECT_CALL(events_, on_connection(true, _));
  EXPECT_CALL(events_, on_registered(provider_));
  EXPECT_CALL(events_, on_providers("a.B", ElementsAre(provider_))).Times(testing::AtLeast(1));
  executor_.run();
}

TEST_F(MemoryRegistryTest, ShowsWatchersWhatIsRegisteredWhileItStarts) {
  registry_.watch("a.B");
  registry_.start();
  executor_.post([this] { registry_.register_url(provider_); });
  EXPECT_CALL(events_, on_connection(true, _));
  EXPECT_CALL(events_, on_registered(provider_));
  EXPECT_CALL(events_, on_providers("a.B", ElementsAre(provider_))).Times(testing::AtLeast(1));
  executor_.run();
}

TEST_F(MemoryRegistryTest, ShowsWatchersEveryChange) {
  start();
  registry_.watch("a.B");
  EXPECT_CALL(events_, on_providers("a.B", IsEmpty()));
  executor_.run();

  registry_.register_url(provider_);
  EXPECT_CALL(events_, on_registered(provider_));
  EXPECT_CALL(events_, on_providers("a.B", ElementsAre(provider_)));
  executor_.run();

  registry_.unregister_url(provider_);
  EXPECT_CALL(events_, on_unregistered(provider_));
  EXPECT_CALL(events_, on_providers("a.B", IsEmpty()));
  executor_.run();
}

TEST_F(MemoryRegistryTest, ListsNoConsumers) {
  start();
  registry_.watch("a.B");
  registry_.register_url(consumer_);
  registry_.unregister_url(consumer_);
  EXPECT_CALL(events_, on_providers("a.B", IsEmpty()));
  EXPECT_CALL(events_, on_registered(consumer_));
  EXPECT_CALL(events_, on_unregistered(consumer_));
  executor_.run();
}

TEST_F(MemoryRegistryTest, SaysNothingAfterUnwatch) {
  start();
  registry_.watch("a.B");
  registry_.unwatch("a.B");
  executor_.run();
}

}  // namespace
}  // namespace skiff::registry
