#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "dubbo/frame.h"
#include "governance/request_view.h"

namespace skiff::governance {

struct StaticCluster;

// Where on a request's way filters are asked, in this order.
enum class FilterPoint : std::uint8_t {
  kReceive,      // once, when its service is known
  kBeforeRoute,  // whenever it is routed: also when it is sent again
  kAfterRoute,   // likewise; the rules have left some providers
  kSend,         // whenever a provider is chosen
  kLog,          // once, when its consumer is answered or nobody waits for an answer
};
inline constexpr std::size_t kFilterPoints = 5;

enum class FilterAnswer : std::uint8_t {
  kContinue,
  kStop,  // the filter has refused or delayed the request
};

// What filters see of a request. Views live as long as the call.
struct RequestFacts {
  std::string_view interface;
  std::string_view version;         // as sent
  std::string_view method;          // of a generic call the one that it names; "" where unknown
  std::string_view caller_address;  // "127.0.0.1:51234"; "" where the consumer is gone
  std::string_view application;     // of the caller, as its attachments say; "" where they do not
  bool has_attachments_of_ours = false;  // it is sent again, with what was added to it before
  std::chrono::steady_clock::time_point received = {};
  std::chrono::steady_clock::time_point now = {};
};

// The request at one of the points, and what a filter may do about it. Implemented by the data
// plane; lives on the request's worker.
class FilteredRequest {
 public:
  virtual ~FilteredRequest() = default;

  virtual const RequestFacts& facts() const = 0;
  virtual std::uint64_t random() = 0;  // uniform over 64 bits

  // Answers it with an error; kStop must follow. `why` is what the consumer reads.
  virtual void refuse(dubbo::Status status, const std::string& why) = 0;
  // At kReceive: it goes on behind this filter when `time` is over; kStop must follow. False, and
  // it must go on at once, where too many are delayed.
  virtual bool delay(std::chrono::milliseconds time) = 0;
  // At kBeforeRoute, where rules see it, too, and at kSend. `key` must live as long as the filter,
  // `value` is copied. What cannot be set is left out and counted.
  virtual void set_attachment(std::string_view key, std::string_view value) = 0;
  // At kBeforeRoute, likewise. A request of which something cannot be removed is refused.
  virtual void remove_attachment(std::string_view key) = 0;
  // At kAfterRoute: sends a copy to one of the providers that the asking filter's mirror_target()
  // means, whose answer nobody gets.
  virtual void mirror() = 0;
  // At kSend: how long the request may take, since it was received.
  virtual std::chrono::milliseconds timeout() const = 0;
  // Who this agent is, for other machines.
  virtual std::string_view agent() const = 0;
  // At kReceive: a number of the asking filter's own that on_log() is given; 0 at first.
  virtual std::uint32_t& note() = 0;
};

// A request at kLog.
struct FinishedRequest {
  RequestFacts facts;
  // Of the answer, or the failure that its cluster's mode hides; kNone: none was wanted, or given.
  dubbo::Status status = dubbo::Status::kNone;
  bool is_by_agent = false;    // the answer is the agent's own
  std::string_view error;      // what it says
  std::string_view provider;   // that was asked last; "" where none was
  std::uint32_t attempts = 0;  // to send it
  // Of the last attempt; nullopt: it was never sent, or wants no answer.
  std::optional<std::chrono::nanoseconds> upstream_time = {};
  std::string_view outcome;  // forwarder/outcome.h
  std::string_view group;    // as sent
  std::string_view trace;    // dubbo/trace_context.h
  std::uint64_t request_bytes = 0;
  std::uint64_t answer_bytes = 0;  // of the provider's
  std::uint32_t note = 0;          // FilteredRequest::note()
  std::uint64_t random = 0;
};

// Texts of requests that are kept and written: their first 256 bytes.
inline constexpr std::size_t kMaxFactBytes = 256;
constexpr std::string_view cut_for_people(std::string_view text) {
  return text.substr(0, kMaxFactBytes);
}

// The caller's application, cut_for_people(): newer consumers name it with each request, older ones
// where they are told to. "" where they do not.
std::string_view application_of(const dubbo::Attachments& attachments);

// Writes requests to the access log. Must not block.
class AccessLines {
 public:
  virtual ~AccessLines() = default;
  virtual void write(const FinishedRequest& request) = 0;
};

// One thing that is done to requests. Settings never change; what it counts is shared by all
// workers, so any thread may call. Allocates nothing for a request that goes on.
class Filter {
 public:
  explicit Filter(std::initializer_list<FilterPoint> points) {
    for (const FilterPoint point : points) points_ |= bit(point);
  }
  virtual ~Filter() = default;
  Filter(const Filter&) = delete;
  Filter& operator=(const Filter&) = delete;

  bool is_asked_at(FilterPoint point) const { return (points_ & bit(point)) != 0; }

  // At each of its points but kLog.
  virtual FilterAnswer on_request(FilteredRequest& request) const;
  virtual void on_log(const FinishedRequest& request, AccessLines& lines) const;

  // For people: "delays 10 % by 200ms".
  virtual std::string describe() const = 0;
  // Memory for what it counts.
  virtual std::size_t kept_bytes() const { return 0; }
  // Where mirror() sends copies; null where the filter does not.
  virtual const StaticCluster* mirror_target() const { return nullptr; }

 private:
  static constexpr std::uint8_t bit(FilterPoint point) {
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(point));
  }

  std::uint8_t points_ = 0;
};
using FilterPtr = std::shared_ptr<const Filter>;

}  // namespace skiff::governance
