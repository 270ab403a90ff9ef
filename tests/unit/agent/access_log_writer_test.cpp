#include "agent/access_log_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "support/eventually.h"

namespace skiff::agent {
namespace {

using namespace std::chrono_literals;

std::string read(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

class AccessLogFile : public ::testing::Test {
 protected:
  AccessLogFile() {
    std::string name = (std::filesystem::temp_directory_path() / "access_log_XXXXXX").string();
    folder_ = mkdtemp(name.data());
    rings_.push_back(std::make_unique<forwarder::LineRing>());
    rings_.push_back(std::make_unique<forwarder::LineRing>());
  }
  ~AccessLogFile() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path folder_;
  forwarder::LineRings rings_;
};

TEST_F(AccessLogFile, HasTheLinesOfAllWorkers) {
  const auto path = folder_ / "access.log";
  auto writer = AccessLogWriter::open(path, rings_);
  ASSERT_TRUE(writer) << writer.error().message;
  rings_[0]->push("first\n");
  rings_[1]->push("second\n");
  EXPECT_TRUE(eventually([&] { return (*writer)->counts().lines == 2; }));
  EXPECT_THAT(read(path), ::testing::AnyOf("first\nsecond\n", "second\nfirst\n"));
}

TEST_F(AccessLogFile, GetsWhatIsLeftAtTheEnd) {
  const auto path = folder_ / "access.log";
  {
    const auto writer = AccessLogWriter::open(path, rings_);
    ASSERT_TRUE(writer);
    rings_[0]->push("last\n");
  }
  EXPECT_EQ(read(path), "last\n");
}

TEST_F(AccessLogFile, IsMadeAnewWhereItWasRenamed) {
  const auto path = folder_ / "access.log";
  const auto moved = folder_ / "access.log.1";
  const auto writer = AccessLogWriter::open(path, rings_);
  ASSERT_TRUE(writer);
  rings_[0]->push("old\n");
  EXPECT_TRUE(eventually([&] { return read(path) == "old\n"; }));
  std::filesystem::rename(path, moved);
  EXPECT_TRUE(eventually([&] { return std::filesystem::exists(path); }));
  rings_[0]->push("new\n");
  EXPECT_TRUE(eventually([&] { return read(path) == "new\n"; }));
  EXPECT_EQ(read(moved), "old\n");
}

TEST_F(AccessLogFile, ThatCannotBeOpenedIsAnErrorThatNamesIt) {
  const auto writer = AccessLogWriter::open(folder_ / "no" / "access.log", rings_);
  ASSERT_FALSE(writer);
  EXPECT_THAT(writer.error().message, ::testing::HasSubstr("access_log_target: cannot open"));
}

TEST_F(AccessLogFile, ThatTakesNothingLosesLinesAndCountsThem) {
  const auto writer = AccessLogWriter::open("/dev/full", rings_);
  ASSERT_TRUE(writer);
  rings_[0]->push("a\n");
  rings_[0]->push("b\n");
  EXPECT_TRUE(eventually([&] { return (*writer)->counts().dropped == 2; }));
  EXPECT_EQ((*writer)->counts().lines, 0U);
}

}  // namespace
}  // namespace skiff::agent
