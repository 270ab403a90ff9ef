#include "dubbo/down_question.h"

#include "dubbo/hessian2_reader.h"
#include "dubbo/response.h"
#include "dubbo/text.h"
#include "dubbo/text_writers.h"

namespace skiff::dubbo {
namespace {

constexpr std::string_view kQuestion = "skiff.down?";
constexpr std::string_view kAnswer = "skiff.down";

// What stands after `first` line by line; empty where `body` holds something else.
std::optional<std::vector<std::string>> lines_after(std::string_view first, Bytes body) {
  if (body.size() > kMaxDownQuestionBytes) return std::nullopt;
  Hessian2Reader reader;
  TextArena arena;
  reader.reset(body, 0);
  std::string_view text;
  if (!reader.next_is_string() || !reader.read_text(text, arena)) return std::nullopt;
  if (!text.starts_with(first)) return std::nullopt;
  text.remove_prefix(first.size());
  std::vector<std::string> lines;
  while (text.starts_with('\n')) {
    text.remove_prefix(1);
    const std::string_view line = text.substr(0, text.find('\n'));
    lines.emplace_back(line);
    text.remove_prefix(line.size());
  }
  if (!text.empty()) return std::nullopt;
  return lines;
}

// The hessian2 string of `first` and the lines, as many as there may be.
std::string body_of(std::string_view first, const std::vector<std::string>& lines) {
  constexpr std::size_t kLengthBytes = 3;
  std::string text(first);
  for (const std::string& line : lines) {
    if (kLengthBytes + text.size() + 1 + line.size() > kMaxDownQuestionBytes) break;
    text.append("\n").append(line);
  }
  std::string body;
  append_hessian2_string(text, body);
  return body;
}

}  // namespace

void append_down_question(std::uint64_t request_id, const std::vector<std::string>& services,
                          std::vector<std::byte>& out) {
  const std::string body = body_of(kQuestion, services);
  append_frame({.request_id = request_id, .is_request = true, .is_two_way = true, .is_event = true},
               as_bytes(body), out);
}

std::optional<std::vector<std::string>> parse_down_question(Bytes body) {
  return lines_after(kQuestion, body);
}

void append_down_answer(const FrameHeader& question, const std::vector<std::string>& down,
                        std::vector<std::byte>& out) {
  const std::string body = body_of(kAnswer, down);
  append_heartbeat_response(question, as_bytes(body), out);
}

std::vector<std::string> parse_down_answer(Bytes body) {
  return lines_after(kAnswer, body).value_or(std::vector<std::string>());
}

}  // namespace skiff::dubbo
