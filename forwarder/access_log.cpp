#include "forwarder/access_log.h"

#include <charconv>
#include <concepts>
#include <ctime>

namespace skiff::forwarder {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::milliseconds;

// Text of a bounded line. What does not fit is left out, but for the room that its end takes.
class LineText {
 public:
  explicit LineText(AccessLineBuffer& buffer) : buffer_(buffer) {}

  void put(char c) {
    if (size_ < kRoom) buffer_[size_++] = c;
  }
  void put(std::string_view text) {
    for (const char c : text) put(c);
  }
  void put_number(std::integral auto number) {
    std::array<char, 24> digits{};
    const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    put({digits.data(), static_cast<std::size_t>(written.ptr - digits.data())});
  }
  void put_two_digits(int number) {
    put(static_cast<char>('0' + number / 10));
    put(static_cast<char>('0' + number % 10));
  }
  // "2026-01-31T23:59:59.123Z"
  void put_time(std::chrono::system_clock::time_point time) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    put_number(parts.tm_year + 1900);
    put('-');
    put_two_digits(parts.tm_mon + 1);
    put('-');
    put_two_digits(parts.tm_mday);
    put('T');
    put_two_digits(parts.tm_hour);
    put(':');
    put_two_digits(parts.tm_min);
    put(':');
    put_two_digits(parts.tm_sec);
    const auto ms = duration_cast<milliseconds>(time.time_since_epoch()).count() % 1000;
    put('.');
    put(static_cast<char>('0' + ms / 100));
    put_two_digits(static_cast<int>(ms % 100));
    put('Z');
  }

  std::string_view finish(std::string_view end) {
    for (const char c : end) buffer_[size_++] = c;
    return {buffer_.data(), size_};
  }

 private:
  static constexpr std::size_t kRoom = kAccessLineMax - 4;  // without the longest end, "\"}\n"

  AccessLineBuffer& buffer_;
  std::size_t size_ = 0;
};

bool is_control(char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; }

// key=value, in words. Bytes that came with a request must not end a line or look like a field.
class TextFields {
 public:
  explicit TextFields(LineText& line) : line_(line) { line_.put("access"); }

  void time(std::chrono::system_clock::time_point time) {
    begin("time");
    line_.put_time(time);
  }
  void word(std::string_view key, std::string_view value) {
    begin(key);
    if (value.empty()) line_.put('-');
    for (const char c : value) line_.put(c == ' ' || is_control(c) ? '?' : c);
  }
  void number(std::string_view key, std::integral auto value) {
    begin(key);
    line_.put_number(value);
  }
  void duration(std::string_view key, microseconds value) {
    number(key, value.count());
    line_.put("us");
  }
  void none(std::string_view key) { word(key, ""); }
  void sentence(std::string_view key, std::string_view text) {
    begin(key);
    line_.put('"');
    for (const char c : text) line_.put(is_control(c) ? '?' : c == '"' ? '\'' : c);
    line_.put('"');
  }
  static constexpr std::string_view kEnd = "\n";

 private:
  void begin(std::string_view key) {
    line_.put(' ');
    line_.put(key);
    line_.put('=');
  }

  LineText& line_;
};

// One object. Texts are UTF-8 as they come from dubbo/. A text that was cut off leaves the line
// without its end: kAccessLineMax is more than all limits of its parts.
class JsonFields {
 public:
  explicit JsonFields(LineText& line) : line_(line) {}

  void time(std::chrono::system_clock::time_point time) {
    begin("time");
    line_.put('"');
    line_.put_time(time);
    line_.put('"');
  }
  void word(std::string_view key, std::string_view value) {
    begin(key);
    line_.put('"');
    for (const char c : value) {
      if (is_control(c)) {
        line_.put('?');
      } else {
        if (c == '"' || c == '\\') line_.put('\\');
        line_.put(c);
      }
    }
    line_.put('"');
  }
  void number(std::string_view key, std::integral auto value) {
    begin(key);
    line_.put_number(value);
  }
  void duration(std::string_view key, microseconds value) {
    begin(key, "_us");
    line_.put_number(value.count());
  }
  void none(std::string_view key) {
    begin(key, "_us");
    line_.put("null");
  }
  void sentence(std::string_view key, std::string_view text) { word(key, text); }
  static constexpr std::string_view kEnd = "}\n";

 private:
  void begin(std::string_view key, std::string_view unit = "") {
    line_.put(is_first_ ? '{' : ',');
    is_first_ = false;
    line_.put('"');
    line_.put(key);
    line_.put(unit);
    line_.put("\":");
  }

  LineText& line_;
  bool is_first_ = true;
};

constexpr std::size_t kErrorMax = 512;  // bytes

template <typename Fields>
void put_fields(const governance::FinishedRequest& request,
                std::chrono::system_clock::time_point time, Fields fields) {
  const governance::RequestFacts& facts = request.facts;
  const auto total = facts.now - facts.received;
  fields.time(time);
  fields.word("service", facts.interface);
  fields.word("group", request.group);
  fields.word("version", facts.version);
  fields.word("method", facts.method);
  fields.word("caller", facts.caller_address);
  fields.word("application", facts.application);
  fields.word("provider", request.provider);
  fields.word("outcome", request.outcome);
  fields.number("status", static_cast<int>(request.status));
  fields.number("attempts", request.attempts);
  fields.duration("total", duration_cast<microseconds>(total));
  if (request.upstream_time) {
    fields.duration("upstream", duration_cast<microseconds>(*request.upstream_time));
    fields.duration("own", duration_cast<microseconds>(total - *request.upstream_time));
  } else {
    fields.none("upstream");
    fields.duration("own", duration_cast<microseconds>(total));
  }
  fields.number("request_bytes", request.request_bytes);
  fields.number("answer_bytes", request.answer_bytes);
  fields.word("trace", request.trace);
  if (!request.error.empty()) fields.sentence("error", request.error.substr(0, kErrorMax));
}

}  // namespace

std::string_view format_access_line(const governance::FinishedRequest& request,
                                    AccessLogConfig::Format format,
                                    std::chrono::system_clock::time_point time,
                                    AccessLineBuffer& buffer) {
  LineText line(buffer);
  if (format == AccessLogConfig::Format::kJson) {
    put_fields(request, time, JsonFields(line));
    return line.finish(JsonFields::kEnd);
  }
  put_fields(request, time, TextFields(line));
  return line.finish(TextFields::kEnd);
}

void AccessLog::write(const governance::FinishedRequest& request) {
  if (ring_ == nullptr) return;
  AccessLineBuffer buffer;  // NOLINT(*-member-init): filled as far as it is used
  ring_->push(
      format_access_line(request, config_.format, std::chrono::system_clock::now(), buffer));
}

}  // namespace skiff::forwarder
