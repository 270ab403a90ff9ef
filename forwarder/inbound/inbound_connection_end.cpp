// How an inbound connection ends: with its consumer, with its providers, or with the agent.

#include <algorithm>
#include <utility>

#include "dubbo/response.h"
#include "forwarder/inbound/inbound.h"
#include "forwarder/inbound/inbound_connection.h"
#include "forwarder/limits.h"

namespace skiff::forwarder {

// The links first: one-way requests may still be on their way to a provider.
void InboundConnection::finish_if_nothing_pending() {
  if (!leaving_ || pending_.size() > 0) return;
  if (links_.empty()) return finish();
  std::vector<ProviderLink*> links;  // finishing may close one, and take it out of links_
  for (const auto& link : links_) links.push_back(link.get());
  for (ProviderLink* link : links) link->finish();
}

void InboundConnection::drain() {
  draining_since_ = context_.loop.now();
  std::vector<std::byte> event;
  dubbo::append_readonly_event(0, event);
  append_copy(event);
}

bool InboundConnection::is_quiet_since(TimePoint time) const {
  return context_.loop.now() - std::max(time, last_read()) >= limits::kDrainQuietTime;
}

bool InboundConnection::has_nothing_under_way() const {
  return pending_.size() == 0 &&
         std::ranges::all_of(links_, [](const auto& link) { return link->output_size() == 0; });
}

void InboundConnection::finish_if_quiet() {
  if (has_nothing_under_way() && is_quiet_since(draining_since_)) finish();
}

void InboundConnection::follow_providers() {
  if (draining_since_ != TimePoint{} || leaving_) return;
  const bool all_are_gone =
      !used_ports_.empty() && std::ranges::none_of(used_ports_, [this](const UsedPort& used) {
        return inbound_.services().is_to_stay(used.port);
      });
  if (all_are_gone == is_readonly()) return;
  std::vector<std::byte> event;
  if (all_are_gone) {
    readonly_since_ = context_.loop.now();
    context_.counters.add(Counter::kInboundReadonly);
    dubbo::append_readonly_event(0, event);
    inbound_.on_readonly();
  } else {
    readonly_since_.reset();
    dubbo::append_writeable_event(0, event);
  }
  append_copy(event);
}

void InboundConnection::add_traffic_of(std::uint16_t port, LocalTraffic& sum) const {
  const auto used = std::ranges::find(used_ports_, port, &UsedPort::port);
  if (used == used_ports_.end()) return;
  sum.in_flight += pending_.count(port);
  const auto quiet =
      std::chrono::floor<std::chrono::milliseconds>(context_.loop.now() - used->last_request);
  sum.quiet_for = std::min(sum.quiet_for, quiet);
}

void InboundConnection::finish_if_readonly() {
  if (!is_readonly() || !has_nothing_under_way()) return;
  const bool long_enough = context_.loop.now() - *readonly_since_ >= limits::kDeadProviderCloseTime;
  if (!long_enough && !is_quiet_since(*readonly_since_)) return;
  readonly_since_.reset();
  leaving_ = true;
  finish();
}

void InboundConnection::on_closed(const std::string& /*reason*/) {
  // The links' own on_closed() would look for them here.
  std::vector<std::unique_ptr<ProviderLink>> links = std::exchange(links_, {});
  for (auto& link : links) {
    link->on_flush();
    context_.counters.add(Counter::kInboundOneWayDropped, link->unsent_one_way());
    link->close("its consumer has gone");
    context_.closed.push_back(std::move(link));
  }
  ticket_.reset();  // now, not when it is destroyed: who accepts the next one looks at it
  if (broke()) context_.counters.add(Counter::kInboundLost);
  inbound_.on_connection_closed(*this);
}

}  // namespace skiff::forwarder
