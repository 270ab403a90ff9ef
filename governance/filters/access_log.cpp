// Writes a line to the log for requests that are over.
#include <chrono>
#include <optional>
#include <string>

#include "dubbo/durations.h"
#include "governance/filters/filter_kinds.h"
#include "governance/filters/filter_settings.h"

namespace skiff::governance {
namespace {

using namespace std::chrono_literals;
using std::chrono::microseconds;

struct AccessLogSettings {
  Share share;
  std::optional<std::chrono::milliseconds> slower_than;
  bool only_failed = false;
};

bool has_failed(const FinishedRequest& request) {
  return request.is_by_agent ||
         (request.status != dubbo::Status::kOk && request.status != dubbo::Status::kNone);
}

std::string in_us(std::chrono::steady_clock::duration time) {
  return std::to_string(std::chrono::duration_cast<microseconds>(time).count()) + "us";
}

// Bytes that came with a request must not end a line or look like another field.
void append_word(std::string& line, const char* key, std::string_view value) {
  line.append(" ").append(key).append("=");
  if (value.empty()) line += '-';
  for (const char c : value) line += static_cast<unsigned char>(c) <= ' ' || c == 0x7f ? '?' : c;
}

void append_quoted(std::string& line, const char* key, std::string_view text) {
  line.append(" ").append(key).append("=\"");
  for (const char c : text) {
    line += static_cast<unsigned char>(c) < ' ' || c == 0x7f ? '?' : c == '"' ? '\'' : c;
  }
  line += '"';
}

// access service=a.Demo version=1.0.0 method=find caller=127.0.0.1:51234 application=shop
// provider=10.0.0.5:20882 status=20 attempts=1 total=812us upstream=790us
std::string line_of(const FinishedRequest& request) {
  const RequestFacts& facts = request.facts;
  std::string line = "access";
  append_word(line, "service", facts.interface);
  append_word(line, "version", facts.version);
  append_word(line, "method", facts.method);
  append_word(line, "caller", facts.caller_address);
  append_word(line, "application", facts.application);
  append_word(line, "provider", request.provider);
  append_word(line, "status", std::to_string(static_cast<int>(request.status)));
  append_word(line, "attempts", std::to_string(request.attempts));
  append_word(line, "total", in_us(facts.now - facts.received));
  append_word(line, "upstream",
              request.upstream_time.count() == 0 ? "" : in_us(request.upstream_time));
  if (!request.error.empty()) append_quoted(line, "error", request.error);
  return line;
}

class AccessLog final : public Filter {
 public:
  explicit AccessLog(AccessLogSettings settings)
      : Filter({FilterPoint::kLog}), settings_(settings) {}

  void on_log(const FinishedRequest& request, LineWriter& lines) const override {
    const auto total = request.facts.now - request.facts.received;
    if (settings_.only_failed && !has_failed(request)) return;
    if (settings_.slower_than && total < *settings_.slower_than) return;
    if (settings_.share.takes(request.random)) lines.write(line_of(request));
  }

  std::string describe() const override {
    std::string text = "logs " + settings_.share.to_string();
    if (settings_.only_failed) text += " of those that fail";
    if (settings_.slower_than) {
      text += ", if they take " + dubbo::format_duration(*settings_.slower_than) + " or more";
    }
    return text;
  }

 private:
  const AccessLogSettings settings_;
};

}  // namespace

FilterPtr read_access_log(const YamlFields& fields,
                          const std::vector<StaticCluster>& /*clusters*/) {
  fields.refuse_others_than({"percent", "slower_than", "only_failed"});
  return std::make_shared<AccessLog>(
      AccessLogSettings{.share = read_share(fields, "percent"),
                        .slower_than = read_filter_time(fields, "slower_than", 1ms),
                        .only_failed = fields.boolean("only_failed", false)});
}

}  // namespace skiff::governance
