#include "agent/state_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace skiff::agent {
namespace {

using ::testing::HasSubstr;

const std::string kText = R"({"publications": [], "text": "some bytes"})";

class StateFile : public testing::Test {
 protected:
  StateFile() {
    std::string folder = testing::TempDir() + "skiff-state-XXXXXX";
    if (mkdtemp(folder.data()) == nullptr) throw std::runtime_error("no folder");
    folder_ = folder;
    path_ = folder_ / "state.json";
  }
  ~StateFile() override { std::filesystem::remove_all(folder_); }

  void put(const std::string& bytes) const { std::ofstream(path_) << bytes; }
  static std::string bytes_of(const std::filesystem::path& path) {
    const std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(folder_), {}));
  }

  std::filesystem::path folder_;
  std::filesystem::path path_;
};

TEST_F(StateFile, IsReadAsItWasWritten) {
  for (const std::string& text : {std::string(), kText, std::string(100'000, 'x')}) {
    ASSERT_TRUE(write_state_file(path_, text));
    EXPECT_EQ(read_state_file(path_), text);
  }
  EXPECT_EQ(files(), 1U);
}

TEST_F(StateFile, IsWrittenPieceByPiece) {
  const std::string piece(100'000, 'y');
  ASSERT_TRUE(write_state_file(path_, [&piece](const TakePiece& take) {
    for (int i = 0; i < 10; ++i) take(piece);
    take("the end");
  }));
  const auto text = read_state_file(path_);
  ASSERT_TRUE(text);
  EXPECT_EQ(text->size(), 10 * piece.size() + 7);
  EXPECT_TRUE(text->ends_with("yyythe end"));
}

TEST_F(StateFile, OverTheLimitIsNotWritten) {
  ASSERT_TRUE(write_state_file(path_, kText));
  const std::string piece(kMaxStateFileBytes / 4, 'y');
  const auto written = write_state_file(path_, [&piece](const TakePiece& take) {
    for (int i = 0; i < 4; ++i) take(piece);
  });
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::kTooLarge);
  EXPECT_EQ(read_state_file(path_), kText);
  EXPECT_EQ(files(), 1U);
}

// As agents before wrote it: nothing stands in front of the size.
TEST_F(StateFile, IsReadWhateverTheWidthOfItsSize) {
  std::string bytes = sealed(kText);
  const auto size = bytes.find(" 0") + 1;
  bytes.erase(size, bytes.find_first_not_of('0', size) - size);
  EXPECT_EQ(unsealed(bytes), kText);
}

TEST_F(StateFile, IsItsOwnersAlone) {
  const mode_t before = umask(0);
  EXPECT_TRUE(write_state_file(path_, kText));
  umask(before);
  struct stat info {};
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST_F(StateFile, ThatIsNotThereIsNotFound) {
  EXPECT_EQ(read_state_file(path_).error().code, ErrorCode::kNotFound);
}

TEST_F(StateFile, CutAnywhereIsDamaged) {
  const std::string whole = sealed(kText);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    put(whole.substr(0, length));
    const auto text = read_state_file(path_);
    ASSERT_FALSE(text) << length;
    EXPECT_EQ(text.error().code, ErrorCode::kMalformed) << length;
    EXPECT_THAT(text.error().message, HasSubstr("it is damaged: "));
  }
}

TEST_F(StateFile, WithAnyBitTurnedIsRefused) {
  const std::string whole = sealed(kText);
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string turned = whole;
    turned[bit / 8] = static_cast<char>(turned[bit / 8] ^ (1 << (bit % 8)));
    const auto text = unsealed(turned);
    // Hexadecimal digits are read in upper case, too.
    EXPECT_TRUE(!text || *text == kText) << bit;
  }
}

TEST_F(StateFile, WithBytesBehindItIsDamaged) {
  EXPECT_EQ(unsealed(sealed(kText) + "x").error().code, ErrorCode::kMalformed);
}

TEST_F(StateFile, OfANewerAgentIsRefusedWhateverItHolds) {
  const auto text = unsealed("skiff-state 2 whatever comes with it");
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(text.error().message, HasSubstr("its version is 2, the newest known is 1"));
}

TEST_F(StateFile, OverTheLimitIsNotRead) {
  put("");
  std::filesystem::resize_file(path_, kMaxStateFileBytes + 1);
  EXPECT_EQ(read_state_file(path_).error().code, ErrorCode::kTooLarge);
}

TEST_F(StateFile, ThatIsAFolderOrAPipeIsDamaged) {
  std::filesystem::create_directory(path_);
  EXPECT_EQ(read_state_file(path_).error().code, ErrorCode::kMalformed);
  std::filesystem::remove(path_);
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_EQ(read_state_file(path_).error().code, ErrorCode::kMalformed);
}

TEST_F(StateFile, StaysAsItWasWhereTheNewOneCannotBeWritten) {
  ASSERT_TRUE(write_state_file(path_, kText));
  const auto before = std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &limit), 0);
  rlimit small = limit;
  small.rlim_cur = 4096;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto written = write_state_file(path_, std::string(100'000, 'x'));
  EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  std::signal(SIGXFSZ, before);

  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(written.error().message,
              HasSubstr("state.json.new: cannot write it: File too large"));
  EXPECT_EQ(read_state_file(path_), kText);
  EXPECT_EQ(files(), 1U);
}

TEST_F(StateFile, SaysWhereAFolderTakesNoFiles) {
  const auto written = write_state_file("/proc/skiff-state", kText);
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().message, HasSubstr("/proc/skiff-state.new: cannot create it: "));
}

TEST_F(StateFile, IsWrittenOverWhatACrashLeft) {
  std::ofstream(path_.string() + ".new") << "the beginning of";
  ASSERT_TRUE(write_state_file(path_, kText));
  EXPECT_EQ(read_state_file(path_), kText);
  EXPECT_EQ(files(), 1U);
}

TEST_F(StateFile, SetAsideIsKeptAFewTimes) {
  for (const char* bytes : {"one", "two", "three", "four", "five"}) {
    put(bytes);
    EXPECT_EQ(set_aside(path_), path_.string() + ".unusable-1");
  }
  EXPECT_EQ(files(), static_cast<std::size_t>(kMaxSetAside));
  EXPECT_EQ(bytes_of(path_.string() + ".unusable-1"), "five");
  EXPECT_EQ(bytes_of(path_.string() + ".unusable-3"), "three");
  EXPECT_EQ(set_aside(path_), "");
}

}  // namespace
}  // namespace skiff::agent
