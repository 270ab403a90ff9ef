#include "registry/zookeeper/provider_ages.h"

#include <spdlog/spdlog.h>
#include <zookeeper/zookeeper.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "registry/limits.h"
#include "registry/warmup.h"
#include "registry/weight_steps.h"
#include "registry/zookeeper/node_age.h"
#include "registry/zookeeper/zookeeper_error.h"

namespace skiff::registry {
namespace {

using std::chrono::milliseconds;

std::int64_t unix_time_ms() {
  return std::chrono::duration_cast<milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

constexpr std::int64_t ms(milliseconds duration) { return duration.count(); }

}  // namespace

ProviderAges::Key ProviderAges::key_of(const dubbo::Url& url) {
  constexpr Key kMultiplier = 0x9e3779b97f4a7c15;  // spreads, and makes the order count
  Key key = 0;
  const auto mix = [&key](std::string_view text) {
    key = (key ^ std::hash<std::string_view>()(text)) * kMultiplier;
  };
  mix(url.protocol);
  mix(url.address());
  mix(url.path);
  for (const auto& [name, value] : url.parameters) {
    if (is_stepped_parameter(name)) continue;
    mix(name);
    mix(value);
  }
  return key;
}

bool ProviderAges::is_wrong(Milliseconds timestamp, Milliseconds came_at) {
  return std::max(timestamp, came_at) - std::min(timestamp, came_at) > ms(kProviderClockTolerance);
}

void ProviderAges::begin(const std::string& path) {
  reading_ = path;
  now_ = unix_time_ms();
  const auto found = lists_.find(path);
  if (found == lists_.end()) return;
  for (auto& [hash, node] : found->second.nodes) node.is_listed = false;
}

void ProviderAges::date(const std::string& name, dubbo::Url& url, std::optional<Time> seen_at) {
  constexpr std::uint64_t kMaxTimestamp = std::numeric_limits<Milliseconds>::max() / 2;
  const auto timestamp =
      static_cast<Milliseconds>(url.number_parameter("timestamp", 0, kMaxTimestamp));
  const Milliseconds needed_until = timestamp + ms(warmup_of(url)) + ms(kProviderClockErrorMax);
  if (timestamp == 0 || needed_until < now_) return;

  auto& nodes = lists_[reading_].nodes;
  const Key key = key_of(url);
  const auto [entry, is_new] = nodes.try_emplace(key);
  Node& node = entry->second;
  if (is_new && seen_at) {
    node.came_at =
        now_ - std::chrono::duration_cast<milliseconds>(executor_.now() - *seen_at).count();
  } else if (!node.came_at && !node.is_asked) {
    node.is_asked = enqueue({.path = reading_, .name = name, .key = key, .timestamp = timestamp});
    if (!node.is_asked) {
      nodes.erase(entry);  // asked for when the list is read again
      return;
    }
  }
  node.is_listed = true;
  node.needed_until = needed_until;
  if (node.came_at && is_wrong(timestamp, *node.came_at)) {
    url.parameters.insert_or_assign("timestamp", std::to_string(*node.came_at));
  }
}

void ProviderAges::end() {
  const auto found = lists_.find(reading_);
  if (found == lists_.end()) return;
  for (auto& [hash, node] : found->second.nodes) {
    if (node.is_listed) continue;
    node.needed_until = std::min(node.needed_until, now_ + ms(kGoneProviderMemory));
  }
  drop_unneeded(found->second, now_);
  if (found->second.nodes.empty()) {
    lists_.erase(found);
  } else {
    sweep_later();
  }
}

void ProviderAges::drop_unneeded(List& list, Milliseconds now) {
  std::erase_if(list.nodes, [now](const auto& entry) { return entry.second.needed_until < now; });
}

void ProviderAges::sweep_later() {
  if (std::exchange(is_sweep_planned_, true)) return;
  executor_.post_after(kGoneProviderMemory, alive_.guard([this] {
    is_sweep_planned_ = false;
    const Milliseconds now = unix_time_ms();
    for (auto& [path, list] : lists_) drop_unneeded(list, now);
    std::erase_if(lists_, [](const auto& entry) { return entry.second.nodes.empty(); });
    if (!lists_.empty()) sweep_later();
  }));
}

bool ProviderAges::enqueue(Question question) {
  if (waiting_.size() >= kMaxAgesWaiting) {
    if (!std::exchange(is_overrun_, true)) {
      spdlog::warn(
          "the creation times of {} young providers are being asked for, which is the limit: the "
          "timestamps of others are taken as they are",
          waiting_.size());
    }
    return false;
  }
  waiting_.push_back(std::move(question));
  start_asking();
  return true;
}

void ProviderAges::start_asking() {
  if (waiting_.empty() || !session_.is_connected() || std::exchange(is_asking_, true)) return;
  executor_.post_after(kAgeTurn, alive_.guard([this] {
    is_asking_ = false;
    take_turn();
    start_asking();
  }));
}

void ProviderAges::take_turn() {
  for (std::size_t i = 0; i < kMaxAgesPerTurn; ++i) {
    const bool may_ask = session_.is_connected() && under_way_.size() < kMaxAgesUnderWay;
    if (waiting_.empty() || !may_ask) break;
    Question question = std::move(waiting_.front());
    waiting_.pop_front();
    if (const Node* node = find(question); node != nullptr && node->is_listed) {
      ask(std::move(question), Ask::kNodeAndData);
    } else {
      drop(question);
    }
  }
  if (waiting_.empty()) is_overrun_ = false;
}

ProviderAges::Node* ProviderAges::find(const Question& question) {
  const auto list = lists_.find(question.path);
  if (list == lists_.end()) return nullptr;
  const auto node = list->second.nodes.find(question.key);
  return node == list->second.nodes.end() ? nullptr : &node->second;
}

// It is asked again when the provider is listed again.
void ProviderAges::drop(const Question& question) {
  if (Node* const node = find(question)) node->is_asked = false;
}

void ProviderAges::ask(Question question, Ask what) {
  const std::uint64_t number = next_number_++;
  const std::string path = question.path + "/" + question.name;
  under_way_.emplace(number, std::move(question));
  const auto answer = [this, number](const OperationResult& result) { on_answer(number, result); };
  if (what == Ask::kNode) {
    session_.find_owner(path, answer);
  } else {
    session_.read(path, false, answer);
  }
}

void ProviderAges::on_answer(std::uint64_t number, const OperationResult& result) {
  auto found = under_way_.extract(number);
  if (found.empty()) return;
  Question& question = found.mapped();
  if (is_connection_error(result.rc)) {
    waiting_.push_back(std::move(question));
    start_asking();
    return;
  }
  Node* const node = find(question);
  if (node == nullptr || !node->is_listed) {
    drop(question);
  } else if (result.rc == ZNOAUTH) {
    ask(std::move(question), Ask::kNode);
  } else if (result.rc == ZNONODE) {  // a step of its weight may have replaced it
    drop(question);
    tell_later(question.path, lists_.at(question.path));
  } else if (result.rc == ZOK) {
    node->came_at = result.created_at_ms - ms(age_in_node_data(result.data));
    if (is_wrong(question.timestamp, *node->came_at)) {
      tell_later(question.path, lists_.at(question.path));
    }
  }
}

// Once for all answers of a while.
void ProviderAges::tell_later(const std::string& path, List& list) {
  if (std::exchange(list.has_news, true)) return;
  executor_.post_after(kAgeReportPause, alive_.guard([this, path] {
    const auto known = lists_.find(path);
    if (known != lists_.end() && std::exchange(known->second.has_news, false)) on_learned_(path);
  }));
}

void ProviderAges::on_session_up(SessionStart start) {
  if (start != SessionStart::kResumed) {  // what was under way is not answered any more
    for (auto& [number, question] : under_way_) waiting_.push_back(std::move(question));
    under_way_.clear();
  }
  start_asking();
}

}  // namespace skiff::registry
