#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace skiff::agent {

// Requests to the API by route and status code. Any thread may call it.
class ApiCounters {
 public:
  using Key = std::pair<std::string, int>;  // "POST /publish" (or "other"), 200

  void count(const std::string& route, int status) {
    const std::lock_guard lock(mutex_);
    ++counts_[{route, status}];
  }
  std::map<Key, std::uint64_t> counts() const {
    const std::lock_guard lock(mutex_);
    return counts_;
  }

 private:
  mutable std::mutex mutex_;
  std::map<Key, std::uint64_t> counts_;
};

}  // namespace skiff::agent
