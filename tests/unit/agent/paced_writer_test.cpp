#include "agent/paced_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "../registry/support/manual_executor.h"
#include "agent/state_file.h"

namespace skiff::agent {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// The disk does nothing until the test lets it: disk_.run().
class PacedWriterTest : public testing::Test {
 protected:
  PacedWriterTest() {
    std::string folder = testing::TempDir() + "skiff-state-XXXXXX";
    if (mkdtemp(folder.data()) == nullptr) throw std::runtime_error("no folder");
    folder_ = folder;
    path_ = folder_ / "state.json";
    writer_ = std::make_unique<PacedWriter>(path_, 100ms, control_, disk_, [this] {
      ++snapshots_;
      return [text = text_](const TakePiece& take) { take(text); };
    });
  }
  ~PacedWriterTest() override { std::filesystem::remove_all(folder_); }

  void change(const std::string& text) {
    text_ = text;
    writer_->on_changed();
  }
  // Whether somebody who waits from now on is answered without the disk, or time.
  std::shared_ptr<bool> wait() {
    auto answered = std::make_shared<bool>(false);
    writer_->when_stored([answered] { *answered = true; });
    return answered;
  }
  void let_disk_work() {
    disk_.run();
    control_.run();
  }

  std::filesystem::path folder_;
  std::filesystem::path path_;
  registry::ManualExecutor control_;
  registry::ManualExecutor disk_;
  std::string text_;
  int snapshots_ = 0;
  std::unique_ptr<PacedWriter> writer_;
};

TEST_F(PacedWriterTest, WritesManyChangesAtOnceAfterAPause) {
  for (const char* text : {"one", "two", "three"}) change(text);
  control_.advance(50ms);
  EXPECT_EQ(snapshots_, 0);
  control_.advance(100ms);
  let_disk_work();
  EXPECT_EQ(snapshots_, 1);
  EXPECT_EQ(read_state_file(path_), "three");
  EXPECT_EQ(writer_->report().writes, 1U);
}

TEST_F(PacedWriterTest, AnswersWhenWhatWasChangedIsOnDisk) {
  EXPECT_TRUE(*wait()) << "nothing has changed";
  change("one");
  const auto answered = wait();
  control_.advance(1ms);
  EXPECT_FALSE(*answered);
  let_disk_work();
  EXPECT_TRUE(*answered);
  EXPECT_EQ(read_state_file(path_), "one");
  EXPECT_TRUE(*wait());
}

TEST_F(PacedWriterTest, WritesOnceForAllWhoWaitMeanwhile) {
  change("one");
  const auto first = wait();
  control_.advance(1ms);  // the first write is under way
  change("two");
  const auto second = wait();
  change("three");
  const auto third = wait();
  let_disk_work();
  EXPECT_TRUE(*first);
  EXPECT_FALSE(*second);
  EXPECT_EQ(read_state_file(path_), "one");
  control_.advance(500ms);
  let_disk_work();
  EXPECT_TRUE(*second && *third);
  EXPECT_EQ(snapshots_, 2);
  EXPECT_EQ(read_state_file(path_), "three");
}

TEST_F(PacedWriterTest, AnswersAllTheSameWhereTheDiskFailsAndTriesAgain) {
  std::filesystem::create_directory(path_.string() + ".new");
  change("one");
  const auto answered = wait();
  control_.advance(1ms);
  let_disk_work();
  EXPECT_TRUE(*answered);
  EXPECT_EQ(writer_->report().failures, 1U);
  EXPECT_THAT(writer_->report().problem, HasSubstr("cannot create it"));

  std::filesystem::remove(path_.string() + ".new");
  control_.advance(PacedWriter::kRetryPause + 1ms);
  let_disk_work();
  EXPECT_EQ(read_state_file(path_), "one");
  EXPECT_THAT(writer_->report().problem, IsEmpty());
  EXPECT_EQ(writer_->report().writes, 2U);
  control_.advance(10 * PacedWriter::kRetryPause);
  let_disk_work();
  EXPECT_EQ(writer_->report().writes, 2U);
}

TEST_F(PacedWriterTest, LetsNobodyWaitForADiskThatHangs) {
  change("one");
  const auto answered = wait();
  control_.advance(PacedWriter::kPatience - 1ms);
  EXPECT_FALSE(*answered);
  control_.advance(2ms);
  EXPECT_TRUE(*answered);
  EXPECT_THAT(writer_->report().problem, HasSubstr("writing takes longer than 1000 ms"));
  change("two");
  EXPECT_TRUE(*wait()) << "while it hangs, nobody waits";

  let_disk_work();
  EXPECT_THAT(writer_->report().problem, IsEmpty());
  control_.advance(500ms);
  let_disk_work();
  EXPECT_EQ(read_state_file(path_), "two");
}

}  // namespace
}  // namespace skiff::agent
