#pragma once

#include <spdlog/formatter.h>

#include <cstddef>
#include <memory>
#include <string>

#include "agent/config.h"

// How the lines of the agent's own log look.
namespace skiff::agent {

// Of a message as JSON, in bytes; a longer one is cut. With everything escaped and the rest of the
// line it stays below the 48 KiB from which on the journal breaks a line in two.
inline constexpr std::size_t kJsonMessageMax = std::size_t{7} * 1024;

struct LogStyle {
  LogFormat format = LogFormat::kText;
  bool is_for_journal = false;  // the journal reads it
};

// Whether descriptor `fd` is a stream that the journal reads: `journal_stream` is the variable
// JOURNAL_STREAM ("device:inode", systemd.exec(5)), or null.
bool is_journal_stream(int fd, const char* journal_stream);

// How lines on standard error are to be.
LogStyle style_of_stderr(LogFormat format);

// kText: time, level, message. kJson: one object with `time` (utc_text.h), `level` and
// `message`, valid whatever bytes a message holds. For the journal, a line begins with its priority
// as sd-daemon(3) has it, which the journal takes off; text has no time then, and question marks
// for control characters, so that no message makes lines of its own.
std::unique_ptr<spdlog::formatter> log_formatter(LogStyle style);

// An error while there is no log, on a line as the log would have it; text begins with the
// program's name instead of the time.
std::string error_line(LogStyle style, const std::string& sentence);

}  // namespace skiff::agent
