// The program makes its logger before its first thread. Tests that log from several threads need
// the same: two first uses at once are a race to ThreadSanitizer, which cannot see into spdlog's
// library.

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

namespace {

class LoggingBeforeThreads : public testing::Environment {
 public:
  void SetUp() override { spdlog::default_logger(); }
};

[[maybe_unused]] const auto* const kEnvironment =
    testing::AddGlobalTestEnvironment(new LoggingBeforeThreads);

}  // namespace
