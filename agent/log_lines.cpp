#include "agent/log_lines.h"

#include <spdlog/pattern_formatter.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>

#include "agent/text.h"
#include "agent/utc_text.h"

namespace skiff::agent {
namespace {

using spdlog::level::level_enum;

// As syslog(3) numbers them.
char priority_of(level_enum level) {
  switch (level) {
    case spdlog::level::critical:
      return '2';
    case spdlog::level::err:
      return '3';
    case spdlog::level::warn:
      return '4';
    case spdlog::level::info:
      return '6';
    default:
      return '7';
  }
}

std::string_view name_of(level_enum level) {
  const auto name = spdlog::level::to_string_view(level);
  return {name.data(), name.size()};
}

std::string json_line(const spdlog::details::log_msg& line) {
  const std::string_view message(line.payload.data(), line.payload.size());
  const nlohmann::ordered_json json = {{"time", utc_text(line.time)},
                                       {"level", name_of(line.level)},
                                       {"message", cut_utf8(message, kJsonMessageMax)}};
  // What is no UTF-8 becomes U+FFFD.
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string journal_line(const spdlog::details::log_msg& line) {
  const std::string_view message(line.payload.data(), line.payload.size());
  return std::string(name_of(line.level)) + " " + printable(message);
}

// Of what a line is to be, without its end.
class LineFormatter final : public spdlog::formatter {
 public:
  using MakeLine = std::string (*)(const spdlog::details::log_msg&);

  LineFormatter(MakeLine make_line, bool has_priority)
      : make_line_(make_line), has_priority_(has_priority) {}

  void format(const spdlog::details::log_msg& line, spdlog::memory_buf_t& out) override {
    if (has_priority_) {
      const std::array<char, 3> prefix = {'<', priority_of(line.level), '>'};
      out.append(prefix.data(), prefix.data() + prefix.size());
    }
    const std::string text = make_line_(line) + "\n";
    out.append(text.data(), text.data() + text.size());
  }

  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<LineFormatter>(make_line_, has_priority_);
  }

 private:
  const MakeLine make_line_;
  const bool has_priority_;
};

}  // namespace

bool is_journal_stream(int fd, const char* journal_stream) {
  if (journal_stream == nullptr) return false;
  struct stat stream {};
  if (fstat(fd, &stream) != 0) return false;
  return journal_stream == std::to_string(stream.st_dev) + ":" + std::to_string(stream.st_ino);
}

LogStyle style_of_stderr(LogFormat format) {
  return {.format = format,
          .is_for_journal = is_journal_stream(STDERR_FILENO, std::getenv("JOURNAL_STREAM"))};
}

std::unique_ptr<spdlog::formatter> log_formatter(LogStyle style) {
  if (style.format == LogFormat::kJson) {
    return std::make_unique<LineFormatter>(json_line, style.is_for_journal);
  }
  if (style.is_for_journal) return std::make_unique<LineFormatter>(journal_line, true);
  return std::make_unique<spdlog::pattern_formatter>("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
}

std::string error_line(LogStyle style, const std::string& sentence) {
  const bool is_plain = style.format == LogFormat::kText && !style.is_for_journal;
  if (is_plain) return "skiff: " + sentence + "\n";
  spdlog::memory_buf_t line;
  log_formatter(style)->format(spdlog::details::log_msg("", spdlog::level::err, sentence), line);
  return {line.data(), line.size()};
}

}  // namespace skiff::agent
