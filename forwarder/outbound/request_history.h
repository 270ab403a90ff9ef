#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "forwarder/handle_table.h"
#include "governance/policy.h"

namespace skiff::forwarder {

// What became of a request so far.
struct RequestHistory {
  std::uint8_t attempts = 0;  // to send it
  // Attachments that its frame got from us, at the end: they are not the consumer's wishes.
  std::uint8_t added_attachments = 0;
  std::string tried;  // " 10.0.0.5:20882 (connection refused)" for each that failed
  // Its connection was lost: it goes where it was not tried, if it can.
  bool was_lost = false;
  governance::ClusterMode mode = governance::ClusterMode::kFailover;  // once it was routed
  // Of a request that nobody waits for any more (kFailback): how often it may still be sent.
  std::optional<std::uint8_t> failback_left = {};
  // Where it was sent, how often it may still be sent.
  std::optional<std::uint32_t> retries_left;
  // Providers that were sent it and must not be sent it again, each between spaces.
  std::string closed_to = {};
  Handle record = {};            // FilterRecord
  bool was_counted = false;      // as a request; what was sent, or waited, was
  bool is_past_mirrors = false;  // copies of it have been sent, if any are
  bool has_ended = false;        // for its consumer; a one-way request does when it is sent
  bool is_shadow = false;        // a copy that a filter had sent: nobody waits for its answer

  // It comes from its consumer, for the first time.
  bool is_new() const { return attempts == 0 && !failback_left && !was_counted; }

  // It has an end that counts: that of copies, and of what nobody waits for any more, does not.
  bool may_end() const { return !has_ended && !is_shadow && !failback_left; }

  // Several providers are sent it at once.
  bool is_fan_out() const {
    return mode == governance::ClusterMode::kForking || mode == governance::ClusterMode::kBroadcast;
  }

  // Once for each of them and its reason: who waits tries the same ones again and again.
  void note_tried(const std::string& address, const std::string& reason) {
    const std::string attempt = " " + address + " (" + reason + ")";
    if (tried.find(attempt) == std::string::npos) tried += attempt;
  }

  bool has_tried(const std::string& address) const {
    return tried.find(" " + address + " (") != std::string::npos;
  }

  void close_to(const std::string& address) { closed_to += " " + address + " "; }
  bool is_closed_to(const std::string& address) const {
    return !closed_to.empty() && closed_to.find(" " + address + " ") != std::string::npos;
  }

  // Of a one-way request this much of its history is kept, in its id on the wire.
  std::uint32_t one_way_note() const {
    const std::uint32_t failback = failback_left ? *failback_left + 1U : 0U;
    return failback << 17 | std::uint32_t{is_fan_out() || is_shadow} << 16 |
           std::uint32_t{added_attachments} << 8 | std::uint32_t{attempts};
  }
  // Other providers were sent it, too: it is not sent again.
  static bool is_fan_out(std::uint32_t one_way_note) { return (one_way_note >> 16 & 1U) != 0; }
  void take_one_way_note(std::uint32_t note) {
    is_past_mirrors = true;
    attempts = static_cast<std::uint8_t>(note);
    added_attachments = static_cast<std::uint8_t>(note >> 8);
    const std::uint32_t failback = note >> 17;
    if (failback > 0) failback_left = static_cast<std::uint8_t>(failback - 1);
  }
};

}  // namespace skiff::forwarder
