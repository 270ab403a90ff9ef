#include "forwarder/inbound/pending_requests.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace skiff::forwarder {

std::size_t PendingRequests::home_of(std::uint64_t id) const {
  // Ids count upwards, or are random: multiplying by 2^64 / phi spreads both; the high bits are the
  // good ones.
  const int shift = 64 - std::countr_zero(places_.size());
  return (id * 0x9e3779b97f4a7c15ULL) >> shift;
}

void PendingRequests::add(const PendingRequest& request) {
  if (2 * (size_ + 1) > places_.size()) grow();
  insert(request);
}

void PendingRequests::insert(const PendingRequest& request) {
  std::size_t place = home_of(request.id);
  while (places_[place].port != 0) place = next(place);
  places_[place] = request;
  ++size_;
}

void PendingRequests::grow() {
  std::vector<PendingRequest> old = std::move(places_);
  places_.assign(std::max(kSmallest, 2 * old.size()), PendingRequest{});
  size_ = 0;
  for (const PendingRequest& request : old) {
    if (request.port != 0) insert(request);
  }
}

std::optional<PendingRequest> PendingRequests::take(std::uint64_t id, std::uint16_t port) {
  if (size_ == 0) return std::nullopt;
  for (std::size_t place = home_of(id); places_[place].port != 0; place = next(place)) {
    if (places_[place].id != id || places_[place].port != port) continue;
    const PendingRequest found = places_[place];
    erase(place);
    return found;
  }
  return std::nullopt;
}

// Closes the gap, so that probing from any later entry's home still finds it.
void PendingRequests::erase(std::size_t place) {
  std::size_t gap = place;
  for (std::size_t i = next(gap); places_[i].port != 0; i = next(i)) {
    const std::size_t mask = places_.size() - 1;
    const std::size_t from_home = (i - home_of(places_[i].id)) & mask;
    const std::size_t from_gap = (i - gap) & mask;
    if (from_home < from_gap) continue;
    places_[gap] = places_[i];
    gap = i;
  }
  places_[gap] = PendingRequest{};
  --size_;
}

template <typename Condition>
std::vector<PendingRequest> PendingRequests::take_where(Condition condition) {
  std::vector<PendingRequest> taken;
  std::vector<PendingRequest> old(places_.size());
  old.swap(places_);
  size_ = 0;
  for (const PendingRequest& request : old) {
    if (request.port == 0) continue;
    if (condition(request)) {
      taken.push_back(request);
    } else {
      insert(request);
    }
  }
  return taken;
}

std::vector<PendingRequest> PendingRequests::take_all(std::uint16_t port) {
  return take_where([port](const PendingRequest& request) { return request.port == port; });
}

std::vector<PendingRequest> PendingRequests::take_older_than(std::uint32_t time_s) {
  return take_where([time_s](const PendingRequest& request) { return request.since_s < time_s; });
}

std::vector<PendingRequest> PendingRequests::all() const {
  std::vector<PendingRequest> all;
  all.reserve(size_);
  for (const PendingRequest& request : places_) {
    if (request.port != 0) all.push_back(request);
  }
  return all;
}

std::size_t PendingRequests::count(std::uint16_t port) const {
  return static_cast<std::size_t>(std::ranges::count(places_, port, &PendingRequest::port));
}

std::optional<std::uint16_t> PendingRequests::port_of(std::uint64_t id) const {
  if (size_ == 0) return std::nullopt;
  for (std::size_t place = home_of(id); places_[place].port != 0; place = next(place)) {
    if (places_[place].id == id) return places_[place].port;
  }
  return std::nullopt;
}

}  // namespace skiff::forwarder
