#include "agent/log_lines.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

namespace skiff::agent {
namespace {

using spdlog::level::level_enum;
using ::testing::EndsWith;
using ::testing::MatchesRegex;

constexpr LogStyle kJson{.format = LogFormat::kJson, .is_for_journal = false};
constexpr LogStyle kTextForJournal{.format = LogFormat::kText, .is_for_journal = true};
constexpr LogStyle kJsonForJournal{.format = LogFormat::kJson, .is_for_journal = true};

std::string line_of(LogStyle style, const std::string& message,
                    level_enum level = spdlog::level::info) {
  spdlog::details::log_msg line("skiff", level, message);
  line.time = spdlog::log_clock::time_point(std::chrono::milliseconds(1'769'903'999'007));
  spdlog::memory_buf_t out;
  log_formatter(style)->clone()->format(line, out);
  return {out.data(), out.size()};
}

TEST(LogLines, AsTextHaveTimeLevelAndMessage) {
  EXPECT_THAT(line_of({}, "it is up", spdlog::level::warn),
              MatchesRegex("2026-0[12]-[0-9T:-]+[.]007[+-]..:.. warning it is up\n"));
}

TEST(LogLines, AsJsonAreOneObjectEach) {
  EXPECT_EQ(line_of(kJson, "it is up"),
            R"({"time":"2026-01-31T23:59:59.007Z","level":"info","message":"it is up"})"
            "\n");
}

TEST(LogLines, ForTheJournalHaveTheirPriorityAndNoTime) {
  const std::vector<std::pair<level_enum, std::string>> expected = {
      {spdlog::level::debug, "<7>debug x\n"},
      {spdlog::level::info, "<6>info x\n"},
      {spdlog::level::warn, "<4>warning x\n"},
      {spdlog::level::err, "<3>error x\n"},
      {spdlog::level::critical, "<2>critical x\n"}};
  for (const auto& [level, line] : expected) EXPECT_EQ(line_of(kTextForJournal, "x", level), line);
  EXPECT_THAT(line_of(kJsonForJournal, "x", spdlog::level::err),
              MatchesRegex(R"(<3>\{"time":.*,"level":"error","message":"x"\})"
                           "\n"));
}

TEST(LogLines, ForTheJournalAreOneLineWhateverTheirMessageHolds) {
  EXPECT_EQ(line_of(kTextForJournal, "a\n<0>panic\r\x1b[2J"), "<6>info a?<0>panic??[2J\n");
}

TEST(LogLines, AsJsonAreValidWhateverTheirMessageHolds) {
  std::string every_byte;
  for (int byte = 0; byte < 256; ++byte) every_byte += static_cast<char>(byte);
  const std::vector<std::string> messages = {"",
                                             every_byte,
                                             R"("},{"level":"error)",
                                             "\xc3",
                                             "\xed\xa0\x80",
                                             "\xf0\x9f\x98",
                                             std::string("a\0b", 3),
                                             "\xe4\xbd\xa0 \xe2\x80\xa8 \xf0\x9f\x98\x80"};
  for (const std::string& message : messages) {
    const std::string line = line_of(kJson, message);
    EXPECT_EQ(line.find('\n'), line.size() - 1) << line;
    // The parser takes valid UTF-8 only.
    const auto read = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    ASSERT_TRUE(read.is_object()) << line;
    EXPECT_EQ(read.size(), 3U) << line;
  }
  const auto kept = nlohmann::json::parse(line_of(kJson, messages.back()));
  EXPECT_EQ(kept["message"], messages.back());
  const auto replaced = nlohmann::json::parse(line_of(kJson, "a\xff\t\"b"));
  EXPECT_EQ(replaced["message"], "a\xef\xbf\xbd\t\"b");
}

TEST(LogLines, AsJsonAreShortEnoughForTheJournal) {
  constexpr std::size_t kLineMax = std::size_t{48} * 1024;
  EXPECT_LT(line_of(kJsonForJournal, std::string(100'000, '\x01')).size(), kLineMax);
  const std::string euros = [] {
    std::string text;
    while (text.size() <= kJsonMessageMax) text += "\xe2\x82\xac";
    return text;
  }();
  const std::string message = nlohmann::json::parse(line_of(kJson, euros))["message"];
  EXPECT_LE(message.size(), kJsonMessageMax);
  EXPECT_THAT(message, EndsWith("\xe2\x82\xac")) << "no character is cut";
}

TEST(LogLines, OfAStartThatFailsLookLikeTheOthers) {
  EXPECT_EQ(error_line({}, "port taken"), "skiff: port taken\n");
  EXPECT_EQ(error_line(kTextForJournal, "port taken"), "<3>error port taken\n");
  const auto json = nlohmann::json::parse(error_line(kJson, "port \"1\" taken"));
  EXPECT_EQ(json["level"], "error");
  EXPECT_EQ(json["message"], "port \"1\" taken");
}

TEST(JournalStream, IsTheOneThatTheVariableNames) {
  const int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  struct stat stream {};
  ASSERT_EQ(fstat(fd, &stream), 0);
  const std::string device = std::to_string(stream.st_dev);
  const std::string inode = std::to_string(stream.st_ino);
  const std::string named = device + ":" + inode;
  EXPECT_TRUE(is_journal_stream(fd, named.c_str()));
  for (const std::string& other : {named + "0", "1" + named, device, inode, std::string()}) {
    EXPECT_FALSE(is_journal_stream(fd, other.c_str())) << other;
  }
  EXPECT_FALSE(is_journal_stream(fd, nullptr));
  close(fd);
  EXPECT_FALSE(is_journal_stream(fd, named.c_str()));
}

}  // namespace
}  // namespace skiff::agent
