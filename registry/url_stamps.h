#pragma once

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "registry/provider_url.h"

namespace skiff::registry {

// What distinguishes the URLs that we write: the process and a time that never repeats, so that one
// being withdrawn is never confused with its successor. Lives on the control thread.
class UrlStamps {
 public:
  explicit UrlStamps(std::string application) : application_(std::move(application)) {}

  // Where a request names none.
  const std::string& application() const { return application_; }

  // The context of one new URL.
  UrlContext next(const AdvertisedAddress& advertised) {
    return {.host = advertised.host,
            .port = advertised.port,
            .application = application_,
            .timestamp_ms = next_timestamp_ms(),
            .pid = getpid()};
  }

  // `inherited`, which an earlier process wrote, where it is_same(inherited, built) as the URL that
  // build(context) makes today.
  template <typename Build, typename IsSame = std::equal_to<>>
  std::optional<dubbo::Url> same_again(const AdvertisedAddress& advertised,
                                       const std::optional<dubbo::Url>& inherited, Build build,
                                       IsSame is_same = {}) const {
    if (!inherited) return std::nullopt;
    const auto built = build(again(advertised, *inherited));
    return built && is_same(*inherited, built->url) ? inherited : std::nullopt;
  }

  // How long ago `written` got its stamp; 0 where it has none, or the clock was put back.
  static std::chrono::milliseconds age_of(const dubbo::Url& written) {
    constexpr std::uint64_t kMaxTimestamp = std::numeric_limits<std::int64_t>::max();
    const std::int64_t now = now_ms();
    const auto stamped = static_cast<std::int64_t>(
        written.number_parameter("timestamp", static_cast<std::uint64_t>(now), kMaxTimestamp));
    return std::chrono::milliseconds(std::max<std::int64_t>(now - stamped, 0));
  }

  // The context that `written` came from, were it written today. What it makes of a request equals
  // `written`, unless something that matters has changed since.
  UrlContext again(const AdvertisedAddress& advertised, const dubbo::Url& written) const {
    constexpr std::uint64_t kMaxTimestamp = std::numeric_limits<std::int64_t>::max();
    constexpr std::uint64_t kMaxPid = std::numeric_limits<int>::max();
    return {.host = advertised.host,
            .port = advertised.port,
            .application = application_,
            .timestamp_ms =
                static_cast<std::int64_t>(written.number_parameter("timestamp", 0, kMaxTimestamp)),
            .pid = static_cast<int>(written.number_parameter("pid", 0, kMaxPid))};
  }

 private:
  static std::int64_t now_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
  std::int64_t next_timestamp_ms() {
    last_ms_ = std::max<std::int64_t>(now_ms(), last_ms_ + 1);
    return last_ms_;
  }

  std::string application_;
  std::int64_t last_ms_ = 0;
};

}  // namespace skiff::registry
