#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "forwarder/handle_table.h"
#include "forwarder/limits.h"
#include "forwarder/timer_wheel.h"
#include "governance/filters/filter_chain.h"

namespace skiff::forwarder {

// What filters and the access log want to know of a request when it is over, or while it is
// delayed. Only requests that they are for have one, from kReceive to kLog.
struct FilterRecord {
  std::shared_ptr<const governance::FilterChain> chain;  // that it was received by
  std::uint32_t logged = 0;                              // entries that hear of its end, as bits
  std::array<std::uint32_t, governance::kMaxFilters> notes{};  // of the entries
  // Where it goes on when its delay is over: entries before this one have been asked.
  std::optional<std::size_t> resume_at;
  std::string interface;
  std::string version;
  std::string method;
  std::string caller_address;
  std::string application;
  std::string group;
  std::string trace;
  std::uint64_t request_bytes = 0;
  bool is_followed = false;  // by the access log, beside what filters say
  std::string provider;      // that was asked last
  std::uint32_t attempts = 0;
  TimePoint received;
};

// The records of one worker. Those that are over are used again, with the memory of their texts.
// Lives on its worker's thread.
class FilterRecords {
 public:
  Handle add() {
    std::unique_ptr<FilterRecord> record;
    if (free_.empty()) {
      record = std::make_unique<FilterRecord>();
    } else {
      record = std::move(free_.back());
      free_.pop_back();
    }
    return records_.add(std::move(record));
  }
  // nullptr where there is none.
  FilterRecord* get(Handle handle) const { return records_.get(handle); }
  // Null where there is none: a request ends once, however many parts of it end.
  std::unique_ptr<FilterRecord> remove(Handle handle) { return records_.remove(handle); }
  void give_back(std::unique_ptr<FilterRecord> record) {
    if (free_.size() >= limits::kFreeRecordsMax) return;
    record->chain.reset();
    record->is_followed = false;
    record->logged = 0;
    record->notes = {};
    record->resume_at.reset();
    record->provider.clear();
    record->attempts = 0;
    free_.push_back(std::move(record));
  }
  std::size_t size() const { return records_.size(); }

 private:
  HandleTable<FilterRecord> records_;
  std::vector<std::unique_ptr<FilterRecord>> free_;
};

}  // namespace skiff::forwarder
