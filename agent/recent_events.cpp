#include "agent/recent_events.h"

#include <spdlog/sinks/base_sink.h>

#include <deque>
#include <memory>
#include <mutex>
#include <string_view>

#include "agent/text.h"
#include "agent/utc_text.h"

namespace skiff::agent {
namespace {

class EventSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  EventSink() { set_level(spdlog::level::info); }

  std::vector<RecentEvent> events() {
    const std::lock_guard lock(mutex_);
    return {events_.begin(), events_.end()};
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& line) override {
    const std::string_view text(line.payload.data(), line.payload.size());
    const auto level = spdlog::level::to_string_view(line.level);
    if (events_.size() == kEventsMax) events_.pop_front();
    events_.push_back({.time = utc_text(line.time),
                       .level = std::string(level.data(), level.size()),
                       .text = std::string(cut_utf8(text, kEventTextMax))});
  }
  void flush_() override {}

 private:
  std::deque<RecentEvent> events_;
};

const std::shared_ptr<EventSink>& event_sink() {
  static const auto sink = std::make_shared<EventSink>();
  return sink;
}

}  // namespace

spdlog::sink_ptr recent_events_sink() { return event_sink(); }

std::vector<RecentEvent> recent_events() { return event_sink()->events(); }

}  // namespace skiff::agent
